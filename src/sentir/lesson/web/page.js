// What happens when the reader types, steps, or turns a gate.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const PLAY_MS = 900;

/** All that can change; everything shown follows from it. */
const state = {
  language: data.language,
  packed: null, // the network as it came
  network: null,
  tokenizer: null,
  tokens: [],
  ids: [],
  forced: [], // of each token: {gate: {unit: value}}
  plain: [], // the steps untouched
  moved: [], // the steps with gates held; the same array where none is
  at: 0,
  unit: 0,
  unitChosen: false,
  watched: 0,
  scope: { units: "one", words: "here" },
  timer: null,
};

// --- words and numbers -------------------------------------------------------------------------

function say(key, values = {}) {
  const text = data.texts[state.language][key];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

const written = (value, options) =>
  new Intl.NumberFormat(state.language, { signDisplay: "negative", ...options }).format(value).replace("-", "−");
const number = (value) => written(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = (share, digits = 1) =>
  written(share, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
const labelOf = (at) => {
  const name = state.packed.labels[at];
  return data.texts[state.language].labels[name] ?? name;
};

// --- what changes the state --------------------------------------------------------------------

function speak(language) {
  state.language = language;
  document.documentElement.lang = language;
  const packed = data.networks.find((one) => one.language === language) ?? data.networks[0];
  const other = packed !== state.packed;
  if (other) {
    state.packed = packed;
    state.network = new Network(packed);
    state.tokenizer = new Tokenizer(data.rules, packed.clean, packed.words);
    Object.assign(state, { unit: 0, unitChosen: false, watched: packed.labels.length - 1 });
  }
  buildTexts();
  if (other) {
    element("text").value = data.examples[language][0];
    read();
  } else {
    buildTokens();
    draw();
  }
}

/** Read the sentence in the field from its first word, all gates let go. */
function read() {
  pause();
  const text = element("text").value;
  const every = state.tokenizer.tokens(text);
  const most = state.packed.max_tokens;
  const head = Math.floor(most / 4);
  state.tokens = every.length > most ? [...every.slice(0, head), ...every.slice(every.length - (most - head))] : every;
  state.ids = state.tokens.map((word) => state.tokenizer.id(word));
  state.plain = state.network.read(state.ids);
  state.at = 0;
  element("cut").hidden = every.length <= most;
  element("cut").textContent = say("cut", { max: most });
  const last = state.plain.at(-1);
  if (last && !state.unitChosen) {
    const votes = Array.from(state.network.votes(last.hidden, state.watched), Math.abs);
    state.unit = votes.indexOf(Math.max(...votes));
  }
  buildTokens();
  letGo();
}

function go(at) {
  const held = document.activeElement?.closest?.("#tokens");
  state.at = Math.max(0, Math.min(state.tokens.length - 1, at));
  draw({ stepped: true });
  if (held) element("tokens").querySelector("[aria-current]")?.focus({ preventScroll: true });
}

/** Hold a gate at a value, for the units and the words of the scope. */
function turn(gate, value) {
  const units = state.scope.units === "one" ? [state.unit] : Array.from({ length: state.network.units }, (_, at) => at);
  const end = state.scope.words === "here" ? state.at + 1 : state.tokens.length;
  for (let at = state.at; at < end; at += 1) {
    const here = (state.forced[at] ??= {});
    for (const unit of units) (here[gate] ??= {})[unit] = Math.max(0, Math.min(1, value));
  }
  state.moved = state.network.read(state.ids, state.forced);
  draw();
}

/** Let a gate go wherever it is held, or all of them. */
function letGo(gate = null) {
  if (gate) for (const here of state.forced) delete here?.[gate];
  const held = gate && state.forced.some((here) => here && Object.keys(here).length);
  if (!held) state.forced = [];
  state.moved = held ? state.network.read(state.ids, state.forced) : state.plain;
  draw();
}

function play() {
  if (state.timer) return pause();
  if (state.at >= state.tokens.length - 1) go(0);
  state.timer = setInterval(() => {
    go(state.at + 1);
    if (state.at >= state.tokens.length - 1) pause();
  }, PLAY_MS);
  return drawPlay();
}

function pause() {
  clearInterval(state.timer);
  state.timer = null;
  drawPlay();
}

// --- what is built once a language or a sentence -----------------------------------------------

function radios(id, name, options, chosen, onChange) {
  const place = element(id);
  place.querySelectorAll("label").forEach((old) => old.remove());
  for (const [value, text] of options) {
    const label = document.createElement("label");
    label.innerHTML = `<input type="radio" name="${name}" value="${value}"><span>${inText(text)}</span>`;
    label.firstChild.checked = value === chosen;
    label.firstChild.addEventListener("change", () => onChange(value));
    place.append(label);
  }
}

function buildTexts() {
  document.title = `${say("title")} · Sentir`;
  for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of document.querySelectorAll("[data-label]")) {
    one.setAttribute("aria-label", say(one.dataset.label));
    if (one.tagName === "BUTTON") one.title = say(one.dataset.label);
  }
  element("languages").innerHTML = Object.entries(data.texts)
    .map(([name, texts]) => `<button type="button" lang="${name}" data-language="${name}" aria-pressed="${name === state.language}">${texts.name}</button>`)
    .join("");
  element("examples").innerHTML = data.examples[state.language]
    .map((text) => `<button type="button" class="example">${inText(text)}</button>`)
    .join("");
  const units = Array.from({ length: state.network.units }, (_, at) => [at, String(at + 1)]);
  radios("units", "unit", units, state.unit, chooseUnit);
  radios("scope-units", "scope-units", [["one", say("scope_one")], ["all", say("scope_all")]], state.scope.units, (value) => {
    state.scope.units = value;
  });
  radios("scope-words", "scope-words", [["here", say("scope_here")], ["on", say("scope_on")]], state.scope.words, (value) => {
    state.scope.words = value;
  });
  element("gates").innerHTML = GATES.map(
    (gate) => `<div class="gate" id="gate-${gate}">
      <label for="slide-${gate}"><strong>${say(gate)}</strong> <span class="note">${say(`${gate}_about`)}</span></label>
      <input type="range" id="slide-${gate}" min="0" max="1" step="0.01" data-turn="${gate}">
      <output for="slide-${gate}"></output>
      <button type="button" class="wordy" data-let-go="${gate}" aria-label="${say("let_go_of", { gate: say(gate) })}">${say("let_go")}</button>
    </div>`,
  ).join("");
  element("watched-label").hidden = state.packed.labels.length < 3;
  element("watched").innerHTML = state.packed.labels
    .map((_, at) => `<option value="${at}"${at === state.watched ? " selected" : ""}>${inText(labelOf(at))}</option>`)
    .join("");
  const { accuracy, synthetic, units: count, inputs, words } = state.packed;
  const facts = { units: count, inputs, words: written(words.length + 1), accuracy: accuracy === null ? "" : percent(accuracy) };
  element("about").textContent = say(accuracy === null ? "about_text_bare" : "about_text", facts);
  element("about-small").hidden = !synthetic;
  buildTable();
}

function buildTokens() {
  element("tokens").innerHTML = state.tokens
    .map((word, at) => {
      const unknown = state.ids[at] === data.rules.unknown;
      return `<li><button type="button" data-go="${at}"${unknown ? ' class="unknown"' : ""}>${inText(word)}${unknown ? "<sup>?</sup>" : ""}</button></li>`;
    })
    .join("");
  const unknown = state.ids.includes(data.rules.unknown);
  element("unknown").textContent = say(!state.tokens.length ? "empty" : unknown ? "unknown_some" : "unknown_none");
  document.body.classList.toggle("wordless", !state.tokens.length);
}

const COLUMNS = ["before", "forget", "input", "candidate", "after", "output", "hidden", "votes"];

function buildTable() {
  const heads = COLUMNS.map((name) => `<th scope="col">${say(name)}</th>`).join("");
  const rows = Array.from({ length: state.network.units }, (_, unit) => {
    const cells = COLUMNS.map((name) => `<td data-column="${name}"></td>`).join("");
    return `<tr data-unit="${unit}"><th scope="row"><button type="button" data-choose="${unit}" aria-label="${say("show_unit", { unit: unit + 1 })}">${unit + 1}</button></th>${cells}</tr>`;
  });
  element("table").innerHTML = `<thead><tr><th scope="col">${say("unit")}</th>${heads}</tr></thead><tbody>${rows.join("")}</tbody>`;
}

function chooseUnit(unit) {
  Object.assign(state, { unit, unitChosen: true });
  draw();
}

// --- what is drawn at every change -------------------------------------------------------------

const held = (gate, unit = state.unit, at = state.at) => state.forced[at]?.[gate]?.[unit] !== undefined;
const anyHeld = (at) => GATES.some((gate) => Object.keys(state.forced[at]?.[gate] ?? {}).length);

function draw({ stepped = false } = {}) {
  if (!state.tokens.length) return;
  const [step, plain] = [state.moved[state.at], state.plain[state.at]];
  for (const one of element("tokens").querySelectorAll("button")) {
    const now = Number(one.dataset.go) === state.at;
    one.tabIndex = now ? 0 : -1;
    one.toggleAttribute("aria-current", now);
    if (now) one.setAttribute("aria-current", "step");
    one.classList.toggle("read", Number(one.dataset.go) < state.at);
    one.classList.toggle("has-held", Boolean(anyHeld(Number(one.dataset.go))));
  }
  const last = state.tokens.length - 1;
  for (const [id, off] of [["first", !state.at], ["previous", !state.at], ["next", state.at === last], ["last", state.at === last]]) {
    element(id).setAttribute("aria-disabled", off);
  }
  const place = say("place", { at: state.at + 1, count: state.tokens.length, word: state.tokens[state.at] });
  element("place").textContent = place;
  drawAnswer(step, plain);
  if (stepped) element("said").textContent = `${place}. ${element("answer").innerText}`;
  drawUnit(step, plain, stepped);
  drawGates(step);
  drawCourse();
  drawTable(step, plain);
}

const differs = (one, other) => Math.abs(one - other) > DIFFERENT;

function drawAnswer(step, plain) {
  const { watched } = state;
  const [share, was] = [step.probabilities[watched], plain.probabilities[watched]];
  const untouched = differs(share, was) ? `<span class="plain-text">${say("untouched")} ${percent(was)}</span>` : "";
  element("answer").innerHTML =
    `<span class="answer-name" title="${say("answer_for")}">${say("answer")}</span> <strong data-value="${share}">${inText(labelOf(watched))} ${percent(share)}</strong>${answerBar(share, was)}${untouched}`;
}

function largest() {
  const sizes = [...state.moved, ...state.plain].flatMap((step) => Array.from(step.cell, Math.abs));
  return Math.max(1, ...sizes);
}

function drawUnit(step, plain, stepped) {
  const { unit } = state;
  const word = state.tokens[state.at];
  const values = { word, unit: unit + 1, before: number(step.before.cell[unit]), candidate: number(step.gates.candidate[unit]) };
  Object.assign(values, { cell: number(step.cell[unit]), hidden: number(step.hidden[unit]) });
  for (const gate of GATES) values[gate] = percent(step.gates[gate][unit], 0);
  const mine = GATES.filter((gate) => held(gate)).map((gate) => say(gate));
  const told = say(state.at ? "told" : "told_first", values) + (mine.length ? ` ${say("told_held", { gates: mine.join(", ") })}` : "");
  element("told").textContent = told;
  const width = Math.min(640, element("scene").clientWidth);
  const scene = new UnitScene(width, { word_: word, step, plain, unit, most: largest(), number, say, held });
  element("scene").innerHTML = scene.svg(told);
  element("scene").classList.toggle("moving", stepped);
  for (const one of element("units").querySelectorAll("input")) one.checked = Number(one.value) === unit;
}

function drawGates(step) {
  for (const gate of GATES) {
    const value = step.gates[gate][state.unit];
    const row = element(`gate-${gate}`);
    row.querySelector("input").value = value;
    row.querySelector("input").setAttribute("aria-valuetext", `${number(value)}, ${say(held(gate) ? "held" : "open")}`);
    row.querySelector("output").innerHTML = `<strong>${number(value)}</strong> ${say(held(gate) ? "held" : "open")}`;
    row.querySelector("button").disabled = !state.forced.some((here) => here?.[gate]);
    row.classList.toggle("held", held(gate));
  }
  element("let-all-go").disabled = state.moved === state.plain;
}

function drawCourse() {
  const { tokens, moved, plain, at, unit, watched } = state;
  const name = labelOf(watched);
  const shares = moved.map((step, token) => `${tokens[token]} ${percent(step.probabilities[watched], 0)}`).join(", ");
  const lane = moved.map((step) => number(step.cell[unit])).join("; ");
  const label = `${say("course_chart", { label: name, values: shares })} ${say("course_lane", { unit: unit + 1, values: lane })}`;
  const place = element("course");
  const view = { tokens, moved, plain, at, unit, watched, most: largest(), held: anyHeld, say, number, percent, label };
  place.innerHTML = courseScene(place.clientWidth, view);
  const now = place.querySelector(".now-column");
  const [left, width] = ["x", "width"].map((side) => Number(now.getAttribute(side)));
  if (left < place.scrollLeft + 46 || left + width > place.scrollLeft + place.clientWidth) {
    place.scrollLeft = left - place.clientWidth / 2;
  }
  const keys = [["line", say(moved === plain ? "probability_of" : "legend_moved", { label: inText(name) })]];
  if (moved !== plain) keys.push(["line-plain", say("legend_plain")], ["hand", say("legend_held")]);
  element("legend").innerHTML = keys
    .map(([kind, text]) => {
      const mark = kind === "hand" ? '<path class="hand" d="M17 5m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"/>' : `<path class="${kind}" d="M1 5H33"/>`;
      return `<li><svg viewBox="0 0 34 10" aria-hidden="true">${mark}</svg>${text}</li>`;
    })
    .join("");
}

function drawTable(step, plain) {
  const votes = (one) => state.network.votes(one.hidden, state.watched);
  const columns = {
    before: [(one) => one.before.cell, largest()],
    forget: [(one) => one.gates.forget, 0],
    input: [(one) => one.gates.input, 0],
    candidate: [(one) => one.gates.candidate, 1],
    after: [(one) => one.cell, largest()],
    output: [(one) => one.gates.output, 0],
    hidden: [(one) => one.hidden, 1],
    votes: [votes, Math.max(1, ...state.plain.flatMap((one) => Array.from(votes(one), Math.abs)))],
  };
  element("table-about").textContent = say("table_about", { label: labelOf(state.watched) });
  for (const [name, [of, most]] of Object.entries(columns)) {
    const [values, were] = [of(step), of(plain)];
    for (const cell of element("table").querySelectorAll(`[data-column="${name}"]`)) {
      const unit = Number(cell.parentElement.dataset.unit);
      const was = differs(values[unit], were[unit]) ? `<small class="plain-text">${number(were[unit])}</small>` : "";
      cell.dataset.value = values[unit];
      cell.innerHTML = `${number(values[unit])}${meter(values[unit], most)}${was}`;
      cell.classList.toggle("held", GATES.includes(name) && held(name, unit));
    }
  }
  for (const row of element("table").tBodies[0].rows) {
    row.classList.toggle("chosen", Number(row.dataset.unit) === state.unit);
    row.querySelector("button").setAttribute("aria-pressed", Number(row.dataset.unit) === state.unit);
  }
}

function drawPlay() {
  element("play").classList.toggle("playing", Boolean(state.timer));
  element("play").setAttribute("aria-label", say(state.timer ? "pause" : "play"));
  element("play").title = say(state.timer ? "pause" : "play");
}

// --- what the reader does ----------------------------------------------------------------------

function stepBy(key) {
  const places = { ArrowLeft: state.at - 1, ArrowRight: state.at + 1, Home: 0, End: state.tokens.length - 1 };
  if (!(key in places)) return false;
  pause();
  go(places[key]);
  return true;
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button, [data-at], [data-unit]");
  if (!target) return;
  const { language, go: token, letGo: gate, choose, at, unit } = target.dataset;
  if (language) speak(language), element("languages").querySelector(`[data-language="${language}"]`).focus();
  else if (target.classList.contains("example")) (element("text").value = target.textContent), read();
  else if (token !== undefined) stepTo(Number(token));
  else if (gate) letGo(gate), element(`slide-${gate}`).focus();
  else if (choose !== undefined) chooseUnit(Number(choose));
  else if (at !== undefined) stepTo(Number(at));
  else if (unit !== undefined) chooseUnit(Number(unit));
});

function stepTo(at) {
  pause();
  go(at);
}

element("first").addEventListener("click", () => stepBy("Home"));
element("previous").addEventListener("click", () => stepBy("ArrowLeft"));
element("next").addEventListener("click", () => stepBy("ArrowRight"));
element("last").addEventListener("click", () => stepBy("End"));
element("play").addEventListener("click", play);
element("let-all-go").addEventListener("click", () => (letGo(), element("slide-forget").focus()));
element("text").addEventListener("input", read);
element("watched").addEventListener("change", (event) => ((state.watched = Number(event.target.value)), draw()));
element("gates").addEventListener("input", (event) => turn(event.target.dataset.turn, Number(event.target.value)));

document.addEventListener("keydown", (event) => {
  const plainKey = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
  if (!plainKey || event.target.closest("input, textarea, select") || !state.tokens.length) return;
  if (stepBy(event.key)) event.preventDefault();
});

// A valve in the drawing follows the pointer; the drawing is made anew meanwhile, so its place is kept.
let dragged = null;
const dragTo = (event) => {
  const frame = element("scene").firstElementChild.getBoundingClientRect();
  const { gate, left, top, size } = dragged;
  const covered = gate === "forget" ? event.clientY - frame.top - top : event.clientX - frame.left - left;
  turn(gate, Math.round(100 * (1 - covered / size)) / 100);
};
element("scene").addEventListener("pointerdown", (event) => {
  const valve = event.target.closest("[data-gate]");
  if (!valve) return;
  const { gate, left, top, size } = valve.dataset;
  dragged = { gate, left: Number(left), top: Number(top), size: Number(size) };
  element("scene").setPointerCapture(event.pointerId);
  event.preventDefault();
  dragTo(event);
});
element("scene").addEventListener("pointermove", (event) => dragged && dragTo(event));
for (const end of ["pointerup", "pointercancel"]) {
  element("scene").addEventListener(end, () => (dragged = null));
}
let drawnWidth = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width === drawnWidth) return;
  drawnWidth = contentRect.width;
  draw();
}).observe(element("scene"));

const asked = location.hash.slice(1);
speak(asked in data.texts ? asked : data.language);
