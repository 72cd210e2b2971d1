// One review: the answer of one model or two, and how it moved from word to word.

const PAUSE_MS = 250;
// Effects in log-odds: that is drawn as one, and that is drawn bold (the odds change by e).
const SEEN = 0.005;
const STRONG = 1;
let pause = 0;
let asking = new AbortController();

function startAnswering() {
  byId("text").addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(answer, PAUSE_MS);
  });
  byId("model").addEventListener("change", answer);
  byId("compare").addEventListener("change", answer);
}

async function answer() {
  clearTimeout(pause);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const text = byId("text").value;
  const names = [byId("model").value, byId("compare").value].filter(
    (name, index, all) => name && all.indexOf(name) === index);
  const synthetic = names.filter((name) => modelOf(name).synthetic);
  byId("synthetic").hidden = !synthetic.length;
  byId("synthetic").textContent = say("synthetic", { model: synthetic.join(", ") });
  if (!text.trim() || !names.length) {
    byId("answers").replaceChildren();
    byId("spoken").textContent = "";
    return;
  }
  try {
    const panels = await Promise.all(names.map((name) => panelOf(name, text, signal)));
    showError("");
    byId("answers").replaceChildren(...panels.map(([panel]) => panel));
    byId("spoken").textContent = panels.map(([, spoken]) => spoken).join(". ");
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("answers").replaceChildren();
    showError(error.message);
  }
}

async function panelOf(name, text, signal) {
  const [predicted, explained] = await Promise.all([
    ask("/v1/predict", { text, model: name, probabilities: true }, signal),
    ask("/v1/explain", { text, model: name }, signal),
  ]);
  const prediction = predicted.predictions[0];
  const { labels } = modelOf(name);
  const values = { model: name, label: prediction.label, percent: percent(prediction.probability) };
  const bars = make("dl", "bars");
  for (const label of labels) {
    const share = prediction.probabilities[label];
    bars.append(make("dt", "", label), make("dd", "", bar(share, kindOf(labels, label))),
      make("dd", "", percent(share)));
  }
  const panel = make("div", "answer", make("p", "verdict", say("says", values)), bars,
    wordsOf(explained, prediction.label));
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", name);
  if (models.length > 1) panel.prepend(make("h3", "", name));
  return [panel, say("spoken", values)];
}

function wordsOf(explained, label) {
  const column = explained.labels.indexOf(label);
  const list = make("ol", "words");
  for (const { text, start, end, effect } of explained.words) {
    const known = explained.known.slice(start, end).every(Boolean);
    const word = make("span", known ? "word" : "word unknown", text);
    if (!known) word.append(make("span", "visually-hidden", `, ${say("unknown")}`));
    const arrow = Math.abs(effect) < SEEN ? "·" : effect > 0 ? "▲" : "▼";
    const shown = make("span", Math.abs(effect) >= STRONG ? "effect strong" : "effect",
      `${arrow} ${signed(effect)}`);
    const share = percent(explained.answer[end - 1][column]);
    const after = make("span", "after", `→ ${share}`);
    after.title = say("after", { label, percent: share });
    list.append(make("li", "", word, shown, after, ...gatesOf(explained, start, end)));
  }
  return list;
}

function gatesOf(explained, start, end) {
  const rows = [];
  for (const [direction, gates] of Object.entries(explained.gates || {})) {
    for (const [gate, values] of Object.entries(gates)) {
      const mean = values.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
      const meaning = TEXTS[language].gate[gate] || gate;
      const name = meaning.split(":")[0] + (direction === "backward" ? ` ${say("backward")}` : "");
      const short = make("span", "", (direction === "backward" ? "←" : "") + name.slice(0, 3));
      short.setAttribute("aria-hidden", "true");
      const row = make("span", "gate", short, bar(mean, ""),
        make("span", "visually-hidden", `${name} ${percent(mean)}`));
      row.title = `${meaning}: ${percent(mean)}`;
      rows.push(row);
    }
  }
  return rows;
}
