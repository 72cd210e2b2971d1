// A file: it is sent, comes back labelled, and is summed up.

const TYPES = { csv: "text/csv", tsv: "text/tab-separated-values", jsonl: "application/x-ndjson" };
const ADDED = /^(prediction|probability|probability_.*)$/;
const SHOWN = 5;
const EXPLAINED = 24;
const MOVED = 0.05; // log-odds; a smaller mean effect is not listed
let labelled = null; // the last labelled file: its rows, text and model

function startFiles() {
  const drop = byId("drop");
  byId("file").addEventListener("change", (event) => {
    if (event.target.files.length) labelFile(event.target.files[0].name, event.target.files[0]);
  });
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (file) labelFile(file.name, file);
  });
  byId("label-rows").addEventListener("click", () => {
    const rows = byId("rows").value;
    const isTable = rows.split("\n", 1)[0].includes("\t");
    if (rows.trim()) labelFile(isTable ? "reviews.tsv" : "reviews.csv", new Blob([rows]));
  });
}

function formatOf(name) {
  const extension = name.toLowerCase().split(".").pop();
  return { tsv: "tsv", tab: "tsv", jsonl: "jsonl", ndjson: "jsonl", json: "jsonl" }[extension] || "csv";
}

async function labelFile(name, content) {
  const format = formatOf(name);
  const model = byId("model").value;
  const query = new URLSearchParams({ model, probabilities: "true" });
  const column = byId("column").value.trim();
  if (column) query.set("text_column", column);
  byId("progress").textContent = say("working", { name });
  byId("report").replaceChildren();
  labelled = null;
  try {
    const reply = await request(`/v1/files?${query}`, {
      method: "POST", headers: { "content-type": TYPES[format] }, body: content,
    });
    const file = await reply.blob(); // kept as it is, with its byte-order mark
    const text = await file.text();
    const rows = format === "jsonl"
      ? text.split("\n").filter(Boolean).map((line) => JSON.parse(line))
      : parseTable(text, delimiterOf(text));
    const columns = JSON.parse(reply.headers.get("sentir-text-columns"));
    const doubts = JSON.parse(reply.headers.get("sentir-warnings"));
    labelled = { name: name.replace(/(\.\w+)?$/, `-labelled.${format}`), model, file, rows, columns, doubts,
      movers: null };
    showError("");
    report();
    explainSome(labelled);
  } catch (error) {
    byId("progress").textContent = "";
    showError(error.message);
  }
}

// A table keeps its delimiter: the sign between the first two columns that were added.
function delimiterOf(text) {
  return /prediction"?([^\w"])"?probability/.exec(text.split("\n", 1)[0])?.[1] || ",";
}

// RFC 4180: quotes around a field, two quotes for one within.
function parseTable(text, delimiter) {
  const records = [];
  let record = [];
  let field = "";
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index];
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[index + 1] === '"') { field += sign; index += 1; }
      else quoted = false;
    } else if (sign === '"' && field === "") quoted = true;
    else if (sign === delimiter) { record.push(field); field = ""; }
    else if (sign === "\r" && text[index + 1] === "\n") continue;
    else if (sign === "\n") { record.push(field); records.push(record); record = []; field = ""; }
    else field += sign;
  }
  if (field || record.length) records.push([...record, field]);
  const [names, ...rest] = records;
  return rest.map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]])));
}

const columnsOf = (rows) => Object.keys(rows[0] || {}).filter((name) => !ADDED.test(name));

// The text that was read: several columns are joined as the server joins them.
const textOf = (row) => labelled.columns.map((name) => row[name]).filter(Boolean).join(": ");

function report() {
  const { rows, model } = labelled;
  const { labels } = modelOf(model);
  const answered = rows.filter((row) => row.prediction);
  for (const row of answered) row.probability = Number(row.probability);
  const without = rows.length - answered.length;
  byId("progress").textContent = say("done", { count: whole(answered.length) })
    + (without ? ` ${say("without", { count: whole(without) })}` : "");
  const link = make("a", "", say("download"));
  link.href = URL.createObjectURL(labelled.file);
  link.download = labelled.name;
  const sorted = [...answered].sort((one, other) => other.probability - one.probability);
  byId("report").replaceChildren(
    ...labelled.doubts.map((doubt) => make("p", "note", `⚠ ${doubt}`)),
    make("p", "", link),
    make("h3", "", say("counts")), countsOf(answered, labels),
    ...trendOf(answered, labels),
    make("div", "columns",
      make("div", "", make("h3", "", say("surest")), reviewTable(sorted.slice(0, SHOWN))),
      make("div", "", make("h3", "", say("least")),
        reviewTable(sorted.slice(-SHOWN).reverse()))),
    moversOf(labels));
}

function table(heads, rows) {
  const head = make("tr", "", ...heads.map(([text, name]) => {
    const cell = make("th", name, text);
    cell.scope = "col";
    return cell;
  }));
  return make("table", "", make("thead", "", head), make("tbody", "", ...rows));
}

function countsOf(rows, labels) {
  return table([[say("class"), ""], [say("number"), "number"], [say("share"), "number"], ["", "bar"]],
    labels.map((label) => {
      const count = rows.filter((row) => row.prediction === label).length;
      const share = rows.length ? count / rows.length : 0;
      return make("tr", "", make("td", "", label), make("td", "number", whole(count)),
        make("td", "number", count && count < rows.length ? percent(share) : `${100 * share} %`),
        make("td", "bar", bar(share, kindOf(labels, label))));
    }));
}

function reviewTable(rows) {
  return table([[say("review_column"), ""], [say("answer_column"), "answer-cell"]], rows.map((row) => {
    const text = textOf(row);
    return make("tr", "", make("td", "", text.length > 200 ? `${text.slice(0, 200)}…` : text),
      make("td", "answer-cell",
        say("says", { label: row.prediction, percent: percent(row.probability) })));
  }));
}

// The parts of a date as [year, month, day]; null if it is none. Order of 3/4/2026: "dmy" or "mdy".
function dateOf(value, order) {
  const text = String(value ?? "").trim();
  const iso = /^(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?(?:[T ].*)?$/.exec(text);
  const other = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[T ,].*)?$/.exec(text);
  const parts = iso ? [iso[1], iso[2], iso[3] || 1]
    : other ? (order === "mdy" ? [other[3], other[1], other[2]] : [other[3], other[2], other[1]]) : null;
  if (!parts) return null;
  const [year, month, day] = parts.map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? [year, month, day] : null;
}

// The column of dates: its name and the order of day and month, or that this cannot be known.
function dateColumnOf(rows) {
  for (const column of columnsOf(rows)) {
    const values = rows.map((row) => row[column]).filter((value) => value !== "" && value != null);
    if (!values.length) continue;
    const orders = ["dmy", "mdy"].filter((order) => values.every((value) => dateOf(value, order)));
    if (!orders.length) continue;
    const isSame = values.every((value) => `${dateOf(value, "dmy")}` === `${dateOf(value, "mdy")}`);
    return { column, order: orders[0], ambiguous: orders.length > 1 && !isSame };
  }
  return null;
}

function trendOf(rows, labels) {
  const dates = dateColumnOf(rows);
  if (!dates) return [];
  const heading = make("h3", "", say("trend"));
  if (dates.ambiguous) return [heading, make("p", "note", say("ambiguous", dates))];
  const dated = rows.map((row) => [dateOf(row[dates.column], dates.order), row]).filter(([date]) => date);
  const days = dated.map(([[year, month, day]]) => Date.UTC(year, month - 1, day) / 864e5);
  const span = days.reduce((most, day) => Math.max(most, day), -Infinity)
    - days.reduce((least, day) => Math.min(least, day), Infinity);
  const length = span > 3650 ? 1 : span > 60 ? 2 : 3; // years, months or days
  const periods = new Map();
  for (const [date, row] of dated) {
    const name = date.slice(0, length).map((part) => String(part).padStart(2, "0")).join("-");
    if (!periods.has(name)) periods.set(name, []);
    periods.get(name).push(row.prediction);
  }
  const names = [...periods.keys()].sort();
  if (names.length < 2) return [];
  const select = make("select", "", ...labels.map((label) => new Option(label, label)));
  select.value = labels.at(-1);
  const plot = make("div");
  const draw = () => {
    const shares = names.map((name) => {
      const answers = periods.get(name);
      return answers.filter((one) => one === select.value).length / answers.length;
    });
    const cells = names.map((name, index) => make("tr", "", make("td", "", name),
      make("td", "number", whole(periods.get(name).length)),
      make("td", "number", `${Math.round(100 * shares[index])} %`)));
    const same = make("details", "", make("summary", "", say("trend_table")),
      table([[say("period"), ""], [say("number"), "number"], [say("share"), "number"]], cells));
    plot.replaceChildren(lineOf(names, shares, `${say("trend_label")} ${select.value}`), same);
  };
  select.addEventListener("change", draw);
  draw();
  return [heading, make("label", "field", make("span", "", say("trend_label")), select), plot];
}

function lineOf(names, shares, title) {
  const [width, height, left, top, bottom] = [640, 220, 44, 12, 28];
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const add = (tag, attributes, text = "") => {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    svg.append(element);
  };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "trend");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const x = (index) => left + (index * (width - left - 16)) / (names.length - 1);
  const y = (share) => top + (1 - share) * (height - top - bottom);
  for (const share of [0, 0.5, 1]) {
    add("line", { class: "axis", x1: left, x2: width, y1: y(share), y2: y(share) });
    add("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, `${100 * share} %`);
  }
  const step = Math.ceil(names.length / 6);
  names.forEach((name, index) => {
    if (index % step === 0) add("text", { x: x(index), y: height - 8, "text-anchor": index ? "middle" : "start" }, name);
  });
  add("polyline", { class: "line", points: shares.map((share, index) => `${x(index)},${y(share)}`).join(" ") });
  shares.forEach((share, index) => add("circle", { cx: x(index), cy: y(share), r: 3 }));
  return svg;
}

// Explain reviews spread over the file, one after another, and sum the effects of each word up.
async function explainSome(file) {
  const { labels } = modelOf(file.model);
  const texts = file.rows.filter((row) => row.prediction).map(textOf);
  const step = Math.max(1, Math.floor(texts.length / EXPLAINED));
  const some = texts.filter((_, index) => index % step === 0).slice(0, EXPLAINED);
  const sums = new Map();
  let count = 0;
  for (const text of some) {
    let explained;
    try {
      explained = await ask("/v1/explain", { text: String(text).slice(0, 20000), model: file.model });
    } catch { continue; } // a text without a word, or a busy server: the others are enough
    if (file !== labelled) return;
    count += 1;
    const add = (label, { text: word, effect }) => {
      const name = JSON.stringify([label, word]);
      const [sum, times] = sums.get(name) || [0, 0];
      sums.set(name, [sum + effect, times + 1]);
    };
    for (const word of explained.words) {
      add(explained.prediction, word);
      if (labels.length === 2) { // what speaks against one label speaks for the other
        const other = labels.find((label) => label !== explained.prediction);
        add(other, { ...word, effect: -word.effect });
      }
    }
    file.movers = { count, words: [...sums].map(([name, [sum, times]]) => {
      const [label, word] = JSON.parse(name);
      return { label, word, times, effect: sum / times };
    }) };
    byId("movers").replaceWith(moversOf(labels));
  }
}

function moversOf(labels) {
  const part = make("div", "", make("h3", "", say("movers")));
  part.id = "movers";
  const { movers } = labelled;
  if (!movers) {
    part.append(make("p", "note", say("explaining")));
    return part;
  }
  part.append(make("p", "note", say("movers_help", { count: whole(movers.count) })));
  const columns = make("div", "columns");
  for (const label of labels) {
    const words = movers.words.filter((one) => one.label === label && one.effect >= MOVED && /\p{L}/u.test(one.word))
      .sort((one, other) => other.effect * Math.sqrt(other.times) - one.effect * Math.sqrt(one.times));
    columns.append(make("div", "", make("h3", "", say("toward", { label })),
      table([[say("word"), ""], [say("effect"), "number"], [say("times"), "number"]],
        words.slice(0, 8).map((one) => make("tr", "", make("td", "", one.word),
          make("td", "number", signed(one.effect)), make("td", "number", whole(one.times)))))));
  }
  part.append(columns);
  return part;
}

start();
