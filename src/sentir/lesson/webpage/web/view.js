// What is shown, and how it follows from `state` (page.js): built once a language or a sentence, then
// drawn at every change.
"use strict";

const element = (id) => document.getElementById(id);

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
  element("experiments").innerHTML = data.experiments[state.packed.language]
    .map(({ word, gate }, at) => `<button type="button" class="example" data-try="${at}">${say(`try_${gate}`, { word: inText(word) })}</button>`)
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
      <input type="range" id="slide-${gate}" min="0" max="1" step="0.01" data-sets="${gate}">
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
  element("truncated").textContent = say("truncated", { max: state.packed.max_length });
  document.body.classList.toggle("wordless", !state.tokens.length);
}

const COLUMNS = ["before", "forget", "input", "candidate", "after", "output", "hidden", "votes"];

function buildTable() {
  // The roles stay when a narrow screen shows every row as a block.
  const heads = COLUMNS.map((name) => `<th role="columnheader" scope="col">${say(name)}</th>`).join("");
  const rows = Array.from({ length: state.network.units }, (_, unit) => {
    const cells = COLUMNS.map((name) => `<td role="cell" data-column="${name}" data-name="${say(name)}"></td>`).join("");
    return `<tr role="row" data-unit="${unit}"><th role="rowheader" scope="row"><button type="button" data-choose="${unit}" aria-label="${say("show_unit", { unit: unit + 1 })}">${unit + 1}</button></th>${cells}</tr>`;
  });
  element("table").innerHTML = `<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${say("unit")}</th>${heads}</tr></thead><tbody role="rowgroup">${rows.join("")}</tbody>`;
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
  if (stepped) element("status").textContent = `${place}. ${element("answer").innerText}`;
  drawUnit(step, plain, stepped);
  drawGates(step);
  drawCourse();
  drawTable(step, plain);
}

const differs = (one, other) => Math.abs(one - other) > DIFFERENT;

/** Whether the network knows less than half of the words that it has read so far. */
function mostlyUnknown() {
  const read = state.ids.slice(0, state.at + 1).filter((_, at) => /[\p{L}\p{N}]/u.test(state.tokens[at]));
  return 2 * read.filter((id) => id === data.rules.unknown).length > read.length;
}

function drawAnswer(step, plain) {
  const { watched } = state;
  const [share, was] = [step.probabilities[watched], plain.probabilities[watched]];
  // The line stays while it is empty; otherwise everything below would move.
  const remarks = mostlyUnknown() ? [`<strong class="doubt">${say("mostly_unknown")}</strong>`] : [];
  if (differs(share, was)) remarks.push(`${say("untouched")} ${percent(was)}`);
  const untouched = `<span class="plain-text">${remarks.join(" · ") || "&nbsp;"}</span>`;
  element("answer").innerHTML =
    `<span class="answer-name" title="${say("answer_for")}">${say("answer")}</span> <strong data-value="${share}">${inText(labelOf(watched))} ${percent(share)}</strong>${answerBar(share, was)}${untouched}`;
}

/** Each unit has a scale of its own: its largest cell state along the sentence, 1 at least. */
function scales() {
  const steps = [...state.moved, ...state.plain];
  return Array.from({ length: state.network.units }, (_, unit) =>
    Math.max(1, ...steps.map((step) => Math.abs(step.cell[unit]))),
  );
}

function drawUnit(step, plain, stepped) {
  const { unit } = state;
  const word = state.tokens[state.at];
  const values = { word, unit: unit + 1, before: number(step.before.cell[unit]), candidate: number(step.gates.candidate[unit]) };
  Object.assign(values, { cell: number(step.cell[unit]), hidden: number(step.hidden[unit]) });
  for (const gate of GATES) values[gate] = percent(step.gates[gate][unit], 0);
  const mine = GATES.filter((gate) => held(gate)).map((gate) => say(gate));
  const explanation = say(state.at ? "explanation" : "explanation_first", values) + (mine.length ? ` ${say("explanation_held", { gates: mine.join(", ") })}` : "");
  element("explanation").textContent = explanation;
  const width = Math.min(640, element("scene").clientWidth);
  const scene = new UnitScene(width, { word, step, plain, unit, most: scales()[unit], number, say, held });
  element("scene").innerHTML = scene.svg(explanation);
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
  for (const [name, chosen] of Object.entries(state.scope)) {
    for (const one of element(`scope-${name}`).querySelectorAll("input")) one.checked = one.value === chosen;
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
  const view = { tokens, moved, plain, at, unit, watched, most: scales(), held: anyHeld, percent, label };
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
    before: [(one) => one.before.cell, scales()],
    forget: [(one) => one.gates.forget, 0],
    input: [(one) => one.gates.input, 0],
    candidate: [(one) => one.gates.candidate, 1],
    after: [(one) => one.cell, scales()],
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
      cell.innerHTML = `${number(values[unit])}${meter(values[unit], Array.isArray(most) ? most[unit] : most)}${was}`;
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
