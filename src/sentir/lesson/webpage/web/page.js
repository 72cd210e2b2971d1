// What happens when the reader types, steps, or sets a gate.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const PLAY_MS = 900;

/** All that can change; everything shown follows from it. */
const state = {
  language: data.language,
  packed: null, // the network as it is stored in the page
  network: null,
  tokenizer: null,
  tokens: [],
  ids: [],
  forced: [], // of each token: {gate: {unit: value}}
  plain: [], // the original steps
  moved: [], // the steps with gates set by hand; the same array where none is
  at: 0,
  unit: 0,
  unitChosen: false,
  watched: 0,
  scope: { units: "one", words: "here" },
  timer: null,
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

/** Read the sentence in the field from its first word, with all gates released. */
function read() {
  pause();
  const text = element("text").value;
  const every = state.tokenizer.tokens(text);
  const most = state.packed.max_length;
  state.tokens = state.tokenizer.truncated(every, most);
  state.ids = state.tokens.map((word) => state.tokenizer.id(word));
  state.plain = state.network.read(state.ids);
  state.at = 0;
  element("truncated").hidden = every.length <= most;
  element("text").style.height = "auto";
  element("text").style.height = `${element("text").scrollHeight + 2}px`;
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

/** Set a gate to a value, for the units and the words of the scope. */
function setGate(gate, value) {
  const units = state.scope.units === "one" ? [state.unit] : Array.from({ length: state.network.units }, (_, at) => at);
  const end = state.scope.words === "here" ? state.at + 1 : state.tokens.length;
  for (let at = state.at; at < end; at += 1) {
    const here = (state.forced[at] ??= {});
    for (const unit of units) (here[gate] ??= {})[unit] = Math.max(0, Math.min(1, value));
  }
  state.moved = state.network.read(state.ids, state.forced);
  draw();
}

/** Release a gate wherever it is set, or all gates. */
function letGo(gate = null) {
  if (gate) for (const here of state.forced) delete here?.[gate];
  const held = gate && state.forced.some((here) => here && Object.keys(here).length);
  if (!held) state.forced = [];
  state.moved = held ? state.network.read(state.ids, state.forced) : state.plain;
  draw();
}

/** Shut a gate of all units at a word, and go there. */
function tryOut({ text, word, gate }) {
  element("text").value = text;
  read();
  Object.assign(state.scope, { units: "all", words: "here" });
  go(state.tokens.indexOf(word));
  setGate(gate, 0);
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
  const { language, try: experiment, go: token, letGo: gate, choose, at, unit } = target.dataset;
  if (language) speak(language), element("languages").querySelector(`[data-language="${language}"]`).focus();
  else if (experiment !== undefined) tryOut(data.experiments[state.packed.language][experiment]);
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
const slide = ({ target }, value = Number(target.value)) => target.dataset.sets && setGate(target.dataset.sets, value);
element("gates").addEventListener("input", (event) => slide(event));
// A slider sends no input event at its end, and a gate of 0.001 is shown at the end.
element("gates").addEventListener("pointerup", (event) => slide(event));
element("gates").addEventListener("keydown", (event) => {
  if (event.key === "Home" || event.key === "End") slide(event, Number(event.key === "End"));
});

document.addEventListener("keydown", (event) => {
  const plainKey = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
  if (!plainKey || event.target.closest("input, textarea, select") || !state.tokens.length) return;
  if (stepBy(event.key)) event.preventDefault();
});

// A valve in the drawing follows the pointer. The drawing is replaced meanwhile, so the place of the
// valve is kept.
let dragged = null;
const dragTo = (event) => {
  const frame = element("scene").firstElementChild.getBoundingClientRect();
  const { gate, left, top, size } = dragged;
  const covered = gate === "forget" ? event.clientY - frame.top - top : event.clientX - frame.left - left;
  setGate(gate, Math.round(100 * (1 - covered / size)) / 100);
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
