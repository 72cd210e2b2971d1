// The page: what is typed is answered and explained here. After loading nothing is requested.
import { Model } from "./model.js";

const TYPING_MS = 250;
/** A smaller effect than this share is not written. */
const SEEN = 0.005;
const element = (id) => document.getElementById(id);
const bytes = async (name) => {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
};

const texts = JSON.parse(new TextDecoder().decode(await bytes("texts.json")));
const state = { language: navigator.language.startsWith("es") ? "es" : "en", model: null, turn: 0, answer: null };

function say(key, values = {}) {
  return texts[state.language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
const format = (value, options) => new Intl.NumberFormat(state.language, options).format(value);
const percent = (share) => format(share, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const points = (share) => format(100 * share, { signDisplay: "always", maximumFractionDigits: 0 });
const labelOf = (at) => texts[state.language].labels[state.model.labels[at]] ?? state.model.labels[at];

function make(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function speak(language) {
  state.language = document.documentElement.lang = language;
  document.title = `${say("title")} · Sentir`;
  for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  element("languages").setAttribute("aria-label", say("languages"));
  for (const one of element("languages").children) one.setAttribute("aria-pressed", one.lang === language);
  element("examples").setAttribute("aria-label", say("examples"));
  element("examples").replaceChildren(
    ...texts[language].sentences.map((sentence) => {
      const button = make("button", sentence);
      button.type = "button";
      button.addEventListener("click", () => {
        element("text").value = sentence;
        answer();
      });
      return button;
    }),
  );
  if (!state.model) return;
  const { accuracy, measured, synthetic, runtime, words } = state.model;
  const parts = [say("about", { words: format(words.length), runtime })];
  if (measured) parts.push(say(`accuracy_${measured}`, { accuracy: percent(accuracy) }));
  if (synthetic) parts.push(say("synthetic"));
  element("about").textContent = parts.join(" ");
  draw();
}

function fail(error) {
  element("status").textContent = say("failed", { error: error.message });
  throw error;
}

/** The answer, then each word's effect; a newer text ends the work on an older one. */
async function compute() {
  const { model } = state;
  const turn = (state.turn += 1);
  const read = model.read(element("text").value);
  if (!read.tokens.length) {
    state.answer = null;
    return draw();
  }
  const [probabilities] = await model.probabilities([read.ids]);
  if (turn !== state.turn) return;
  const best = model.decide(probabilities);
  state.answer = { ...read, probabilities, best, effects: [] };
  draw();
  for await (const rows of model.without(read.ids)) {
    if (turn !== state.turn) return;
    state.answer.effects.push(...rows.map((row) => probabilities[best] - row[best]));
    await new Promise((resolve) => setTimeout(resolve)); // what is typed meanwhile comes first
  }
  if (turn === state.turn) draw();
}

const answer = () => compute().catch(fail);

function draw() {
  const found = state.answer;
  element("result").hidden = !found;
  element("result").setAttribute("aria-busy", "false");
  if (!found) {
    element("status").textContent = say("empty");
    return;
  }
  const { tokens, ids, count, probabilities, best, effects } = found;
  const values = { label: labelOf(best), share: percent(probabilities[best]) };
  const explained = effects.length === tokens.length;
  element("status").textContent = say(explained ? "explained" : "explaining", values);
  element("answer").textContent = `${values.label} ${values.share}`;
  element("answer").dataset.probabilities = JSON.stringify(probabilities);
  element("classes").replaceChildren(
    ...probabilities.flatMap((share, at) => {
      const bar = make("dd", "", "bar");
      bar.setAttribute("aria-hidden", "true");
      const filled = make("i", "");
      filled.style.width = `${100 * share}%`;
      bar.append(filled);
      return [make("dt", labelOf(at)), bar, make("dd", percent(share))];
    }),
  );
  const isWord = (word) => /[\p{L}\p{N}]/u.test(word);
  const known = ids.filter((id, at) => id !== state.model.unknown && isWord(tokens[at])).length;
  const all = tokens.filter(isWord).length;
  const doubts = [];
  if (known < all) doubts.push(say(2 * known < all ? "mostly_unknown" : "unknown", { unknown: format(all - known), all: format(all) }));
  if (count > tokens.length) doubts.push(say("truncated", { read: format(tokens.length), count: format(count) }));
  element("warnings").textContent = doubts.join(" ");
  element("about-words").textContent = say("about_words", values);
  element("tokens").replaceChildren(
    ...tokens.map((token, at) => {
      const effect = effects[at] ?? 0;
      const seen = Math.abs(effect) >= SEEN;
      const kinds = [seen ? (effect > 0 ? "for" : "against") : "", ids[at] === state.model.unknown ? "unknown" : ""];
      const item = make("li", "", kinds.filter(Boolean).join(" "));
      if (explained) item.dataset.effect = effect;
      item.append(make("span", token, "word"), make("span", seen ? points(effect) : "", "effect"));
      return item;
    }),
  );
}

for (const language of Object.keys(texts)) {
  const button = make("button", texts[language].name);
  Object.assign(button, { type: "button", lang: language });
  button.addEventListener("click", () => speak(language));
  element("languages").append(button);
}
speak(state.language);
element("status").textContent = say("loading");
try {
  state.model = await Model.load(bytes);
  speak(state.language);
  element("text").addEventListener("input", () => {
    state.turn += 1; // what is shown is of an older text
    element("status").textContent = say("reading");
    element("result").setAttribute("aria-busy", "true");
    clearTimeout(state.timer);
    state.timer = setTimeout(answer, TYPING_MS);
  });
  if (element("text").value) answer(); // typed while it was loading
} catch (error) {
  fail(error);
}
