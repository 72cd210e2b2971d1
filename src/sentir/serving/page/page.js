// The frame of the page: language, models, key, and what both parts use.
"use strict";

const byId = (id) => document.getElementById(id);
let language = (navigator.language || "en").startsWith("es") ? "es" : "en";
let models = [];
let key = "";

function say(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, value) => values[value]);
}

// An element with a class and children; text becomes text and never markup.
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

function percent(share) {
  // 99.96 % is not certain, so it is not shown as 100 %
  const value = Math.min(Math.max(share, 0.0001), 0.9999);
  const digits = share > 0.995 || share < 0.005 ? 2 : 0;
  return new Intl.NumberFormat(language, {
    style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(digits ? value : share);
}

const whole = (count) => new Intl.NumberFormat(language).format(count);

function signed(value) {
  return new Intl.NumberFormat(language, {
    signDisplay: "exceptZero", minimumFractionDigits: 2, maximumFractionDigits: 2,
  }).format(value);
}

function bar(share, kind) {
  const fill = make("div", `fill ${kind}`);
  fill.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
  const track = make("div", "track", fill);
  track.setAttribute("aria-hidden", "true");
  return track;
}

const kindOf = (labels, label) => `class${labels.indexOf(label) % 5}`;

function showError(message) {
  byId("error").textContent = message;
  byId("error").hidden = !message;
}

async function request(path, options = {}) {
  const headers = { ...options.headers, ...(key ? { authorization: `Bearer ${key}` } : {}) };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(say("no_server"));
  }
  if (reply.ok) return reply;
  if (reply.status === 401) byId("key-form").hidden = false;
  const { error } = await reply.json().catch(() => ({ error: `${reply.status}` }));
  throw new Error(error);
}

async function ask(path, body, signal) {
  const reply = await request(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
  });
  return reply.json();
}

function translate() {
  document.documentElement.lang = language;
  byId("language").value = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = say(element.dataset.text);
  }
  const gates = Object.values(TEXTS[language].gate).map((text) => text.split(": "));
  byId("gates").replaceChildren(
    ...gates.flatMap(([name, meaning]) => [make("dt", "", name), make("dd", "", meaning)]));
  const none = byId("compare").options[0];
  if (none) none.textContent = say("nothing");
}

async function loadModels() {
  try {
    models = (await (await request("/v1/models")).json()).models;
  } catch (error) {
    showError(error.message);
    return;
  }
  showError("");
  byId("key-form").hidden = true;
  const option = (name) => new Option(name, name);
  byId("model").replaceChildren(...models.map((model) => option(model.name)));
  byId("compare").replaceChildren(
    new Option(say("nothing"), ""), ...models.map((model) => option(model.name)));
  byId("compare-field").hidden = models.length < 2;
  answer();
}

const modelOf = (name) => models.find((model) => model.name === name);

function start() {
  translate();
  byId("text").value = say("example");
  byId("language").addEventListener("change", () => {
    const isExample = byId("text").value === say("example");
    language = byId("language").value;
    translate();
    if (isExample) byId("text").value = say("example");
    answer();
    if (labelled) report();
  });
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    key = byId("key").value.trim();
    loadModels();
  });
  startAnswering();
  startFiles();
  loadModels();
}
