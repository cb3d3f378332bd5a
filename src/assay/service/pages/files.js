"use strict";
const USUAL = ["text", "review", "message", "sms", "tweet", "comment", "comment_text", "content", "body", "sentence", "document", "v2"];
const GATHERED_BYTES = 16 * 1024 * 1024;
let file = null;
let about = 0;
let stopping = null;
let result = "";

function showFileError(error) {
  at("file-error").hidden = !error;
  at("file-error-code").textContent = error?.code.replaceAll("_", " ") ?? "";
  at("file-error-message").textContent = error?.message ?? "";
  at("file-error-id").textContent = error?.request_id ? `request ${error.request_id}` : "";
}

function pick() {
  for (const cell of document.querySelectorAll(".sheet th, .sheet td")) {
    cell.classList.toggle("picked", cell.cellIndex === at("column").selectedIndex);
  }
}

function showSheet(seen) {
  at("preview").hidden = at("column-choice").hidden = !seen;
  about = seen?.about ?? 0;
  at("column").replaceChildren(...(seen?.columns ?? []).map((name) => make("option", { value: name, textContent: name || "(no name)" })));
  if (!seen) return;
  const cells = (row, tag, scope) => make("tr", {}, ...row.map((cell) => make(tag, { textContent: cell.slice(0, 300), ...scope })));
  at("sheet-head").replaceChildren(cells(seen.columns, "th", { scope: "col" }));
  at("sheet-rows").replaceChildren(...seen.rows.map((row) => cells(row, "td", {})));
  const names = seen.columns.map((name) => name.trim().toLowerCase());
  const usual = USUAL.map((name) => names.indexOf(name)).find((place) => place >= 0);
  at("column").selectedIndex = usual ?? 0;
  pick();
}

async function choose(files) {
  if (stopping || !files.length) return;
  showFileError(null);
  at("summary").hidden = true;
  at("progress-text").textContent = "";
  if (files.length > 1) {
    showFileError({ code: "one_at_a_time", message: "Several files were dropped; give one at a time." });
    return;
  }
  [file] = files;
  at("chosen-name").textContent = `${file.name}, ${sized(file.size)}`;
  at("choices").hidden = false;
  showSheet(await glance(file));
}

function sized(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(bytes || 1) / 10));
  return `${(bytes / 1024 ** step).toLocaleString(undefined, { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
}

function showProgress(counts, received) {
  at("bar").max = 1;
  if (about && counts.rows) at("bar").value = Math.min(0.99, counts.rows / about);
  else at("bar").removeAttribute("value");
  at("progress-text").textContent = counts.known ? `${counts.rows.toLocaleString()} rows decided` : `${sized(received)} received`;
}

async function receive(response) {
  const counts = new Counts(response.headers.get("Content-Type"));
  const decoder = new TextDecoder();
  const blobs = [];
  let parts = [];
  let gathered = 0;
  let received = 0;
  let shown = 0;
  for (const reader = response.body.getReader();;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    gathered += value.length;
    received += value.length;
    if (gathered > GATHERED_BYTES) {
      blobs.push(new Blob(parts));
      parts = [];
      gathered = 0;
    }
    counts.feed(decoder.decode(value, { stream: true }));
    if (performance.now() - shown > 100) {
      showProgress(counts, received);
      shown = performance.now();
    }
  }
  return [counts, new Blob([...blobs, ...parts])];
}

function nameOf(response) {
  const said = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "");
  return said ? decodeURIComponent(said[1]) : "scored";
}

function showSummary(counts, blob, name, seconds) {
  const line = (term, value) => make("div", {}, make("dt", { textContent: term }), make("dd", { textContent: value }));
  const share = (count) => `${count.toLocaleString()} (${percent(count / counts.rows)})`;
  const labels = [...counts.labels].sort((a, b) => b[1] - a[1]).map(([label, count]) => line(label, share(count)));
  const known = counts.known ? [line("Rows", counts.rows.toLocaleString()), ...labels, line("With an error", counts.errors.toLocaleString())] : [];
  at("counts").replaceChildren(...known, line("Took", `${seconds.toFixed(1)} s`), line("Size", sized(blob.size)));
  URL.revokeObjectURL(result);
  result = URL.createObjectURL(blob);
  Object.assign(at("download"), { href: result, download: name });
  at("summary").hidden = false;
  at("progress-text").textContent = counts.known
    ? `Done: ${counts.rows.toLocaleString()} rows, ${counts.errors.toLocaleString()} with an error` : "Done";
}

async function send(signal) {
  const task = encodeURIComponent(chosenTask());
  const query = new URLSearchParams({ spreadsheet: "true" });
  if (!at("column-choice").hidden) query.set("text", at("column").value);
  const body = new FormData();
  body.append("file", file);
  const response = await fetch(`v1/tasks/${task}/batch?${query}`, { method: "POST", body, headers: keyHeaders(), signal });
  if (response.ok) return response;
  throw refusalOf(response, await response.json().catch(() => ({})));
}

function brokenOff(error, response) {
  if (stopping.signal.aborted) return { code: "stopped", message: "You stopped it. Nothing was kept." };
  if (error.code && error.message && !(error instanceof DOMException)) return error;
  if (!response) return UNREACHABLE;
  const id = response.headers.get("X-Request-ID");
  return { code: "broken_off", message: "The answer broke off before its end: the file is damaged, or the service was stopped. Its log says why.", request_id: id };
}

function work(busy) {
  at("score").disabled = at("chosen").disabled = at("column").disabled = busy;
  at("progress").hidden = at("cancel").hidden = !busy;
}

async function score(event) {
  event.preventDefault();
  let response = null;
  stopping = new AbortController();
  showFileError(null);
  at("summary").hidden = true;
  work(true);
  at("bar").removeAttribute("value");
  at("progress-text").textContent = `Sending ${sized(file.size)}`;
  try {
    const started = performance.now();
    response = await send(stopping.signal);
    const [counts, blob] = await receive(response);
    showSummary(counts, blob, nameOf(response), (performance.now() - started) / 1000);
    look();
  } catch (error) {
    at("progress-text").textContent = "";
    showFileError(brokenOff(error, response));
  } finally {
    stopping = null;
    work(false);
  }
}

function drag(event) {
  event.preventDefault();
  at("drop").classList.toggle("over", event.type === "dragover" && at("drop").contains(event.target));
}

at("file-form").addEventListener("submit", score);
at("chosen").addEventListener("change", () => choose(at("chosen").files));
at("column").addEventListener("change", pick);
at("cancel").addEventListener("click", () => stopping?.abort());
// A file dropped beside its place must not replace the page.
for (const type of ["dragover", "dragleave", "drop"]) window.addEventListener(type, drag);
at("drop").addEventListener("drop", (event) => choose(event.dataTransfer.files));
at("tasks").addEventListener("change", showFileTask);
