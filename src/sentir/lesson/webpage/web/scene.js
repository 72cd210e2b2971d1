// The drawings, as SVG text: one unit's step, the course along the sentence, small meters.
//
// What is negative is striped as well as coloured, a plate that shuts a valve is hatched, the
// original course is dashed: nothing depends on colour alone.
"use strict";

const DIFFERENT = 5e-4;

const inText = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const shorter = (word, most) => (Array.from(word).length > most ? `${Array.from(word).slice(0, most - 1).join("")}…` : word);

/** A bar from the middle: right and plain if positive, left and striped if negative. */
function signedBar(x, y, width, height, share) {
  const half = width / 2;
  const length = Math.min(1, Math.abs(share)) * half;
  const start = share < 0 ? x + half - length : x + half;
  return `<rect class="track" x="${x}" y="${y}" width="${width}" height="${height}" rx="2"/>
    <rect class="${share < 0 ? "minus" : "plus"}" x="${start}" y="${y}" width="${length}" height="${height}"/>
    <path class="middle" d="M${x + half} ${y - 2}v${height + 4}"/>`;
}

/** A small meter for the table: of a gate from 0 to 1, of another value from -most to most. */
function meter(value, most) {
  const inside = most
    ? signedBar(1, 3, 46, 7, value / most)
    : `<rect class="track" x="1" y="3" width="46" height="7" rx="2"/><rect class="flow" x="1" y="3" width="${46 * value}" height="7" rx="2"/>`;
  return `<svg class="meter" viewBox="0 0 48 13" aria-hidden="true">${inside}</svg>`;
}

/** One unit's step: the belt from left to right, valves on it, into it and out of it. */
class UnitScene {
  /**
   * @param width in pixels; the drawing is laid out for it, not scaled.
   * @param view {word, step, plain, unit, most, number, say, held}: both steps at this word, the
   *   size of the unit's largest cell state, and how to write numbers and names.
   */
  constructor(width, view) {
    Object.assign(this, view);
    this.width = width;
    this.narrow = width < 480;
    this.boxWidth = this.narrow ? 70 : 104;
    const right = width - this.boxWidth / 2 - 4;
    this.x = { before: this.boxWidth / 2 + 4, forget: width * 0.335, join: width * (this.narrow ? 0.53 : 0.58), now: right };
  }

  /** The number of this unit, as it is, and where it differs as it would be untouched. */
  pair(of) {
    return { value: of(this.step)[this.unit], plain: of(this.plain)[this.unit] };
  }

  svg(label) {
    const { x, width } = this;
    const cell = this.pair((step) => step.cell);
    const before = this.pair((step) => step.before.cell);
    const hidden = this.pair((step) => step.hidden);
    const candidate = this.pair((step) => step.gates.candidate);
    const gate = Object.fromEntries(GATES.map((name) => [name, this.pair((step) => step.gates[name])]));
    const kept = gate.forget.value * before.value;
    const added = gate.input.value * candidate.value;
    const share = 40 * gate.forget.value;
    return `<svg class="unit-scene" width="${width}" height="334" viewBox="0 0 ${width} 334" role="img" aria-label="${inText(label)}">
      ${this.wires()}
      <path class="pipe" d="M0 52H${width}M0 92H${width}"/>
      <rect class="belt" x="0" y="53" width="${x.forget}" height="38"/>
      <rect class="belt" x="${x.forget}" y="${92 - share}" width="${x.join - x.forget}" height="${Math.max(0, share - 1)}"/>
      <rect class="belt" x="${x.join}" y="53" width="${width - x.join}" height="38"/>
      <path class="tread" d="M0 98H${width}"/>
      ${this.pipe(x.join, 93, 240, gate.input.value, 1)}
      ${this.pipe(x.now, 93, 240, gate.output.value, -1)}
      <g class="join"><circle cx="${x.join}" cy="72" r="13"/><path d="M${x.join - 6} 72h12M${x.join} 66v12"/></g>
      <g class="join"><rect x="${x.now - 19}" y="106" width="38" height="20" rx="10"/><text x="${x.now}" y="120" class="middle-text small">tanh</text></g>
      ${this.valve("forget", x.forget, 72, gate.forget)}
      ${this.valve("input", x.join, 184, gate.input)}
      ${this.valve("output", x.now, 184, gate.output)}
      <text class="amount middle-text" x="${(x.forget + x.join) / 2 + 4}" y="45">${this.number(kept)}</text>
      <text class="amount end-text" x="${x.join - 23}" y="112">${added < 0 ? "" : "+"}${this.number(added)}</text>
      ${this.box(x.before, 72, before, this.most, "before", 1)}
      ${this.box(x.now, 72, cell, this.most, "after", 1)}
      ${this.box(x.join, 262, candidate, 1, "candidate", 0)}
      ${this.box(x.now, 262, hidden, 1, "hidden", 0)}
      ${this.wordBox()}
    </svg>`;
  }

  /** A pipe down from the belt; `way` is 1 where things go up to the belt, -1 where they go down. */
  pipe(x, top, bottom, share, way) {
    const valve = 184;
    const full = way > 0 ? [valve, bottom] : [top, valve];
    const part = way > 0 ? [top, valve] : [valve, bottom];
    const wide = 34 * share;
    return `<rect class="belt" x="${x - 17}" y="${full[0]}" width="34" height="${full[1] - full[0]}"/>
      <rect class="belt" x="${x + 17 - wide}" y="${part[0]}" width="${wide}" height="${part[1] - part[0]}"/>
      <path class="pipe" d="M${x - 18} ${top}V${bottom}M${x + 18} ${top}V${bottom}"/>
      <path class="arrow" d="M${x - 5} ${way > 0 ? 141 : 226}l5 ${way > 0 ? -7 : 7} 5 ${way > 0 ? 7 : -7}"/>`;
  }

  /** A valve: its hatched plate covers what does not pass. */
  valve(gate, x, y, { value, plain }) {
    const flat = gate === "forget";
    const size = flat ? 44 : 40;
    const thick = 20;
    const [left, top] = flat ? [x - thick / 2, y - size / 2] : [x - size / 2, y - thick / 2];
    const shut = size * (1 - value);
    const plate = flat
      ? `<rect class="plate" x="${left}" y="${top}" width="${thick}" height="${shut}"/>`
      : `<rect class="plate" x="${left}" y="${top}" width="${shut}" height="${thick}"/>`;
    const edge = size * (1 - plain);
    const ghost = flat ? `M${left - 4} ${top + edge}h${thick + 8}` : `M${left + edge} ${top - 4}v${thick + 8}`;
    const differs = Math.abs(value - plain) > DIFFERENT;
    const lines = this.narrow && !flat ? this.say(gate).split(/ (?=\S+$)/) : [this.say(gate)];
    const [labelX, labelY, anchor] = flat ? [x, 15, "middle-text"] : [x - size / 2 - 8, 169 - 15 * lines.length, "end-text"];
    const texts = lines.map((line, at) => `<text class="${anchor}" x="${labelX}" y="${labelY + 14 * at}">${inText(line)}</text>`);
    const numberY = labelY + 14 * lines.length + 2;
    const held = this.held(gate) ? `<path class="hand" d="${flat ? `M${x + 28} ${numberY - 5}` : `M${labelX - 46} ${numberY - 5}`}m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"/>` : "";
    return `<g data-gate="${gate}" data-left="${left}" data-top="${top}" data-size="${size}" class="valve${this.held(gate) ? " held" : ""}">
      <rect class="grip" x="${left - 12}" y="${top - 12}" width="${(flat ? thick : size) + 24}" height="${(flat ? size : thick) + 24}"/>
      <rect class="housing" x="${left}" y="${top}" width="${flat ? thick : size}" height="${flat ? size : thick}" rx="3"/>
      ${plate}
      <rect class="frame" x="${left}" y="${top}" width="${flat ? thick : size}" height="${flat ? size : thick}" rx="3"/>
      ${differs ? `<path class="ghost" d="${ghost}"/>` : ""}
      ${texts.join("")}
      <text class="${anchor} strong" x="${labelX}" y="${numberY}">${this.number(value)}</text>${held}
    </g>`;
  }

  /** A value in a box, with its bar; below, its name and what it is untouched. */
  box(x, y, { value, plain }, most, name, onBelt) {
    const left = x - this.boxWidth / 2;
    const differs = Math.abs(value - plain) > DIFFERENT;
    const under = y + (onBelt ? 40 : 36);
    // Below the belt's last box a pipe goes down, so its name stands above.
    const labelY = name === "after" ? (differs ? 26 : 40) : under;
    return `<g class="box">
      <rect x="${left}" y="${y - 22}" width="${this.boxWidth}" height="44" rx="7"/>
      <text class="middle-text strong" x="${x}" y="${y - 2}">${this.number(value)}</text>
      ${signedBar(left + 8, y + 7, this.boxWidth - 16, 7, value / most)}
      <text class="middle-text" x="${x}" y="${labelY}">${inText(this.say(name))}</text>
      ${differs ? `<text class="middle-text small plain-text" x="${x}" y="${labelY + 14}">${inText(this.say("untouched"))} ${this.number(plain)}</text>` : ""}
    </g>`;
  }

  /** The word, and the dotted wires from it to the gates and the candidate. */
  wires() {
    const { x } = this;
    const from = x.before;
    return `<path class="wire" d="M${from} 170V121H${x.forget}V96M${from} 192H${x.join - 20}M${x.join + 20} 192H${x.now - 20}M${from} 206V262H${x.join - this.boxWidth / 2}"/>`;
  }

  wordBox() {
    const { x, boxWidth } = this;
    return `<g class="word"><rect x="4" y="168" width="${boxWidth}" height="48" rx="7"/>
      <text class="middle-text strong${this.narrow ? " tight" : ""}" x="${x.before}" y="188">${inText(shorter(this.word, this.narrow ? 8 : 11))}</text>
      <text class="middle-text small" x="${x.before}" y="205">+ ${inText(this.say("hidden_short"))}</text></g>`;
  }
}

/**
 * The course along the sentence: the answer after each word, and a lane for each unit's belt.
 *
 * @param width of the place in pixels; many words make it wider, and the place scrolls.
 * @param view {tokens, moved, plain, at, unit, watched, held, percent, label, most}: `most` is the size of
 *   each unit's largest cell state.
 */
function courseScene(width, view) {
  const { tokens, moved, plain, at, unit, most } = view;
  const units = moved[0].cell.length;
  const left = 46;
  const column = Math.min(64, Math.max(23, (width - left - 4) / tokens.length));
  const lane = units > 10 ? 22 : 34;
  const top = 12;
  const chart = 96;
  const lanes = top + chart + 26;
  const bottom = lanes + units * lane;
  const right = left + column * tokens.length;
  const longest = Math.max(...tokens.map((word) => Math.min(12, Array.from(word).length)));
  const height = bottom + 24 + 6 * longest;
  const middle = (token) => left + column * (token + 0.5);
  const level = (share) => top + chart * (1 - share);
  const line = (steps, from, to) =>
    steps.slice(from, to).map((step, token) => `${middle(token + from).toFixed(1)},${level(step.probabilities[view.watched]).toFixed(1)}`).join(" ");
  const touched = moved !== plain;

  const belts = Array.from({ length: units }, (_, row) => {
    const y = lanes + row * lane;
    const zero = y + lane / 2;
    const reach = lane / 2 - 4;
    const bars = moved.map((step, token) => {
      const size = (Math.abs(step.cell[row]) / most[row]) * reach;
      const was = plain[token].cell[row];
      const ghost = Math.abs(was - step.cell[row]) > DIFFERENT
        ? `<path class="ghost" d="M${middle(token) - column * 0.4} ${zero - (was / most[row]) * reach}h${column * 0.8}"/>` : "";
      const fill = step.cell[row] < 0 ? "minus" : "plus";
      return `<g class="${token > at ? "unread" : ""}"><rect class="${fill}" x="${middle(token) - column * 0.3}" y="${step.cell[row] < 0 ? zero : zero - size}" width="${column * 0.6}" height="${size}"/>${ghost}</g>`;
    });
    return `<g data-unit="${row}" class="lane${row === unit ? " chosen" : ""}">
      <rect class="lane-ground" x="${left}" y="${y + 2}" width="${right - left}" height="${lane - 4}" rx="4"/>
      <path class="tread" d="M${left + 3} ${zero}H${right - 3}"/>${bars.join("")}
      <rect class="lane-hit" x="0" y="${y}" width="${left}" height="${lane}"/>
      <text class="end-text" x="${left - 8}" y="${zero + 4}">${row === unit ? "▸ " : ""}${row + 1}</text></g>`;
  });
  const columns = tokens.map((word, token) => {
    const x = middle(token);
    const share = moved[token].probabilities[view.watched];
    return `<g data-at="${token}" class="${token > at ? "unread" : ""}${token === at ? "now" : ""}">
      <rect class="hit" x="${x - column / 2}" y="${top - 8}" width="${column}" height="${height - top + 8}"/>
      <circle class="dot" cx="${x}" cy="${level(share)}" r="${token === at ? 5.5 : 3.5}"/>
      ${view.held(token) ? `<path class="hand" d="M${x} ${top + chart + 7}m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"/>` : ""}
      <text class="word-label" transform="translate(${x + 4} ${bottom + 14}) rotate(-52)">${inText(shorter(word, 12))}</text></g>`;
  });
  return `<svg width="${Math.max(right + 4, 60)}" height="${height}" viewBox="0 0 ${Math.max(right + 4, 60)} ${height}" role="img" aria-label="${inText(view.label)}">
    <rect class="now-column" x="${middle(at) - column / 2}" y="${top - 8}" width="${column}" height="${bottom - top + 8}" rx="5"/>
    <path class="grid" d="M${left} ${level(1)}H${right}M${left} ${level(0)}H${right}"/><path class="grid half" d="M${left} ${level(0.5)}H${right}"/>
    ${[1, 0.5, 0].map((share) => `<text class="end-text small" x="${left - 8}" y="${level(share) + 4}">${view.percent(share, 0)}</text>`).join("")}
    ${touched ? `<polyline class="line-plain" points="${line(plain, 0, tokens.length)}"/>` : ""}
    <polyline class="line unread" points="${line(moved, at, tokens.length)}"/>
    <polyline class="line" points="${line(moved, 0, at + 1)}"/>
    ${belts.join("")}${columns.join("")}
  </svg>`;
}

/** The answer as a bar from 0 to 1 with a mark in the middle, and a mark for the untouched one. */
function answerBar(share, plain) {
  const mark = Math.abs(share - plain) > DIFFERENT ? `<path class="ghost" d="M${200 * plain} 0v18"/>` : "";
  return `<svg class="answer-bar" viewBox="0 0 200 18" preserveAspectRatio="none" aria-hidden="true">
    <rect class="track" y="3" width="200" height="12" rx="3"/><rect class="${share < 0.5 ? "minus" : "plus"}" y="3" width="${200 * share}" height="12" rx="3"/>
    <path class="middle" d="M100 0v18"/>${mark}</svg>`;
}
