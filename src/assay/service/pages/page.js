"use strict";
const MAX_TEXT_BYTES = __MAX_TEXT_BYTES__;
const LOOK_AGAIN_MS = 5000;
const at = (id) => document.getElementById(id);
const percent = (share) => `${(share * 100).toFixed(1)} %`;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const UNREACHABLE = { code: "unreachable", message: "The service did not answer. Is it still running?", request_id: "" };

// The key is this tab's alone, and gone with it.
const KEY = "assay-key";
const keyHeaders = () => (sessionStorage.getItem(KEY) ? { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` } : {});

// What a call was refused with; a service that wants a key is given the field for one.
function refusalOf(response, answer) {
  const error = answer.error ?? UNREACHABLE;
  if (response.status === 401) {
    at("key-reason").textContent = error.message;
    at("key-form").hidden = false;
  }
  return error;
}

// One call of the service; what goes wrong has the same shape, wherever it went wrong.
async function call(path, body) {
  const headers = { ...keyHeaders(), ...(body && { "Content-Type": "application/json" }) };
  const options = { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) };
  let response;
  let answer;
  try {
    response = await fetch(path, options);
    answer = await response.json();
    if (response.ok) return answer;
  } catch {
    throw UNREACHABLE;
  }
  throw refusalOf(response, answer);
}

async function useKey(event) {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  at("key-form").hidden = true;
  await look();
}

const chosenTask = () => document.querySelector("input[name=task]:checked").value;

function showFileTask() {
  at("file-task").textContent = chosenTask();
}

function versionOf(state) {
  return state.version ? `version ${state.version}` : "unregistered";
}

function showTasks(health) {
  const chosen = document.querySelector("input[name=task]:checked")?.value ?? health.default_task;
  const choices = Object.entries(health.tasks).map(([task, state]) => {
    const input = make("input", {
      type: "radio", name: "task", id: `task-${task}`, value: task, checked: task === chosen, disabled: !state.loaded_at,
    });
    return make("span", { className: "task" }, input, make("label", { htmlFor: input.id, textContent: task }));
  });
  at("tasks").replaceChildren(at("tasks").querySelector("legend"), ...choices);
  if (!document.querySelector("input[name=task]:checked:enabled")) {
    document.querySelector("input[name=task]:enabled")?.click();
  }
}

function showServing(health) {
  const rows = Object.entries(health.tasks).map(([task, state]) => {
    const row = make("tr", {}, make("th", { scope: "row", textContent: task }));
    const loaded = state.loaded_at && new Date(state.loaded_at).toLocaleString();
    const decisions = health.statistics.tasks[task]?.decisions ?? 0;
    const cells = { Model: state.model, Version: state.version || "unregistered", Stage: state.stage };
    if (loaded) Object.assign(cells, { Loaded: loaded, Decisions: decisions.toLocaleString() });
    for (const [name, value] of Object.entries(cells)) {
      row.append(make("td", { textContent: value }));
      row.lastChild.dataset.name = name;
    }
    if (!loaded) row.append(make("td", { className: "reason", colSpan: 2, textContent: state.reason }));
    return row;
  });
  at("rows").replaceChildren(...rows);
  at("serving").hidden = rows.length === 0;
}

async function look() {
  try {
    const health = await call("health");
    const served = Object.values(health.tasks).filter((state) => state.loaded_at).length;
    const sentence = { ok: `Serving ${served} ${served === 1 ? "task" : "tasks"}`, degraded: served ? "Some tasks have no model" : "No model is loaded" };
    at("state").className = `state ${served ? health.status : "down"}`;
    at("state").textContent = sentence[health.status];
    showServing(health);
    if (at("tasks").querySelectorAll("input:enabled").length !== served) showTasks(health);
    at("desk").hidden = at("file").hidden = !served;
    if (served) showFileTask();
    at("empty").hidden = Boolean(served);
    if (!served) await call("health/ready").catch((error) => { at("empty-reason").textContent = error.message; });
    if (health.status !== "ok") setTimeout(look, LOOK_AGAIN_MS);
  } catch (error) {
    at("state").className = "state down";
    at("state").textContent = error.message;
    setTimeout(look, LOOK_AGAIN_MS);
  }
}

// One bar: the share of a label, or the score of the positive label against its threshold.
function bar(name, share, threshold) {
  const fill = make("div", { className: "fill" });
  fill.style.width = percent(share).replace(" ", "");
  const track = make("div", { className: "track" }, fill);
  const heading = make("div", { className: "names" }, make("span", { textContent: name }), make("b", { textContent: share.toFixed(4) }));
  const whole = make("div", { className: "bar" }, heading, track);
  if (threshold === null) return whole;
  const place = `${threshold * 100}%`;
  const line = make("div", { className: "threshold" });
  const side = threshold < 0.2 ? "low" : threshold > 0.8 ? "high" : "";
  const mark = make("span", { className: side, textContent: `threshold ${threshold.toFixed(2)}` });
  line.style.left = mark.style.left = place;
  track.append(line);
  whole.append(make("div", { className: "mark" }, mark));
  whole.setAttribute("role", "img");
  whole.setAttribute("aria-label", `${name} ${share.toFixed(4)}, threshold ${threshold.toFixed(2)}`);
  return whole;
}

function bars(decision, state) {
  if (decision.scores) return Object.entries(decision.scores).sort((a, b) => b[1] - a[1]).map(([label, share]) => bar(label, share, null));
  if (decision.score === null) return [];
  return [bar(`Score for ${state.positive}`, decision.score, decision.threshold)];
}

function curlOf(path, body) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  const key = sessionStorage.getItem(KEY) ? " -H \"Authorization: Bearer $ASSAY_KEY\"" : "";
  return `curl ${new URL(path, location.href)}${key} -H 'Content-Type: application/json' -d '${quoted}'`;
}

const WORDS_SHOWN = 10;
const signed = (weight) => `${weight < 0 ? "\u2212" : "+"}${Math.abs(weight).toFixed(3)}`;

// Spans count characters, of which some are two units of a script's strings.
function fired(rule, characters) {
  const found = rule.spans.slice(0, 3).map(([begin, end]) => make("mark", { textContent: characters.slice(begin, end).join("") }));
  const parts = found.flatMap((mark, number) => (number ? [", ", mark] : [mark]));
  const weight = rule.weight === null ? "" : ` (${signed(rule.weight)})`;
  return make("li", {}, `${rule.id}: ${rule.action === "decide" ? "decides" : "evidence for"} ${rule.label}${weight}: `, ...parts);
}

function showWhy(why, text) {
  const characters = Array.from(text);
  at("fired").replaceChildren(...why.rules.map((rule) => fired(rule, characters)));
  const named = why.ngrams.slice(0, WORDS_SHOWN);
  const rest = why.ngrams.slice(WORDS_SHOWN).reduce((sum, each) => sum + each.weight, why.other);
  const rows = named.map((each) => [each.kind.startsWith("char") ? `\u201c${each.text}\u201d` : each.text, each.weight]);
  if (why.logit !== null) rows.push(["all other n-grams", rest], ["bias", why.bias]);
  at("weights").replaceChildren(...rows.map(([name, weight]) => (
    make("tr", {}, make("td", { textContent: name }), make("td", { textContent: signed(weight) })))));
  at("sum").textContent = why.logit === null
    ? "A rule decided; the model was not asked."
    : `For ${why.label} they add up to ${signed(why.logit)}, which calibration turns into the score.`;
}

function showDecision(decision, state, took, curl, text) {
  at("label").textContent = decision.label;
  at("review").hidden = !decision.review;
  at("confidence").textContent = percent(decision.confidence);
  at("scores").replaceChildren(...bars(decision, state));
  at("task").textContent = decision.task;
  at("decided-by").textContent = decision.rule ? `${decision.decided_by}: ${decision.rule}` : decision.decided_by;
  at("version").textContent = `${decision.model}, ${versionOf(decision)}`;
  at("took").textContent = `${took.toFixed(1)} ms, round trip`;
  at("id").textContent = decision.id;
  showWhy(decision.explanation, text);
  at("curl").textContent = curl;
  at("spoken").textContent = `Decision: ${decision.label}, ${percent(decision.confidence)} confidence`;
}

function show(part) {
  for (const id of ["waiting", "error", "decision"]) at(id).hidden = id !== part;
}

async function decide(event) {
  event.preventDefault();
  const task = chosenTask();
  const path = `v1/tasks/${encodeURIComponent(task)}/predict`;
  const body = { text: at("text").value };
  at("decide").disabled = true;
  try {
    const started = performance.now();
    const decision = await call(`${path}?explain=true`, body);
    const took = performance.now() - started;
    const health = await call("health");
    showServing(health);
    showDecision(decision, health.tasks[task], took, curlOf(path, body), body.text);
    show("decision");
  } catch (error) {
    at("error-code").textContent = error.code.replaceAll("_", " ");
    at("error-message").textContent = error.message;
    at("error-id").textContent = error.request_id && `request ${error.request_id}`;
    show("error");
  } finally {
    at("decide").disabled = false;
  }
}

function measure() {
  const bytes = new TextEncoder().encode(at("text").value).length;
  at("size").textContent = `${bytes.toLocaleString()} of ${MAX_TEXT_BYTES.toLocaleString()} bytes`;
  at("size").className = bytes > MAX_TEXT_BYTES ? "quiet over" : "quiet";
}

at("key-form").addEventListener("submit", useKey);
at("form").addEventListener("submit", decide);
at("text").addEventListener("input", measure);
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !at("decide").disabled) at("form").requestSubmit();
});
measure();
window.addEventListener("DOMContentLoaded", look);
