-- For wrk: POST the lines of a file of JSON bodies in their order, round and round.
--   wrk ... -s walk.lua URL -- BODIES PATH [NAME VALUE]...   (NAME VALUE: a header)
-- Requests are put together before the run. Prints one line: RESULT, a tab, JSON.
local requests, count, at = {}, 0, 0

function init(args)
  local headers = {["Content-Type"] = "application/json"}
  for place = 3, #args - 1, 2 do
    headers[args[place]] = args[place + 1]
  end
  for line in io.lines(args[1]) do
    count = count + 1
    requests[count] = wrk.format("POST", args[2], headers, line)
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

-- Pairs of microseconds and how many answers took them, as wrk corrected them; benchmarks/wrk.py takes that back.
local function histogram(latency)
  local pairs = {}
  for place = 1, #latency do
    pairs[place] = string.format("[%d,%d]", latency(place))
  end
  return table.concat(pairs, ",")
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT\t{"requests": %d, "microseconds": %d, "errors": %d, "histogram": [%s]}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout, histogram(latency)))
end
