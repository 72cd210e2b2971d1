// One review: the answer of one model or two, and how it moved from word to word.

const PAUSE_MS = 250;
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

// The change of the final answer's probability at each word, in points.
function changesOf(explained, label) {
  const column = explained.labels.indexOf(label);
  // Before the first word nothing is known: each class is as likely as the others.
  let before = 1 / explained.labels.length;
  return explained.answer.map((row) => {
    const change = 100 * (row[column] - before);
    before = row[column];
    return change;
  });
}

function wordsOf(explained, label) {
  const changes = changesOf(explained, label);
  const column = explained.labels.indexOf(label);
  const list = make("ol", "words");
  explained.tokens.forEach((token, index) => {
    const points = changes[index];
    const arrow = Math.round(points) > 0 ? "▲" : Math.round(points) < 0 ? "▼" : "·";
    const word = make("span", explained.known[index] ? "word" : "word unknown", token);
    if (!explained.known[index]) word.append(make("span", "visually-hidden", `, ${say("unknown")}`));
    const change = make("span", Math.abs(points) >= 10 ? "change strong" : "change",
      `${arrow} ${signed(points)}`);
    const share = explained.answer[index][column];
    change.title = say("after", { label, percent: percent(share) });
    list.append(make("li", "", word, change, ...gatesOf(explained, index)));
  });
  return list;
}

function gatesOf(explained, index) {
  const rows = [];
  for (const [direction, gates] of Object.entries(explained.gates || {})) {
    for (const [gate, values] of Object.entries(gates)) {
      const meaning = TEXTS[language].gate[gate] || gate;
      const name = meaning.split(":")[0] + (direction === "backward" ? ` ${say("backward")}` : "");
      const short = make("span", "", (direction === "backward" ? "←" : "") + name.slice(0, 3));
      short.setAttribute("aria-hidden", "true");
      const row = make("span", "gate", short, bar(values[index], ""),
        make("span", "visually-hidden", `${name} ${percent(values[index])}`));
      row.title = `${meaning}: ${percent(values[index])}`;
      rows.push(row);
    }
  }
  return rows;
}
