// One LSTM step after the other, as sentir.nn.cells writes it, in 64-bit numbers.
//
// Shapes: T tokens, E inputs, H units, G = 4 H (PyTorch's order: input, forget, candidate, output),
// O outputs, C classes. Matrices are flat, a row after the other.
"use strict";

const GATES = ["forget", "input", "output"];

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Weights as they come from Python: little-endian 32-bit numbers in base64. */
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}

/** matrix (rows x vector.length) times vector. */
function product(matrix, vector, rows) {
  const columns = vector.length;
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let at = 0; at < columns; at += 1) sum += matrix[row * columns + at] * vector[at];
    return sum;
  });
}

class Network {
  constructor(packed) {
    this.units = packed.units;
    this.inputs = packed.inputs;
    this.weights = Object.fromEntries(
      Object.entries(packed.weights).map(([name, text]) => [name, unpacked(text)]),
    );
    this.outputs = this.weights.head_bias.length;
  }

  /**
   * The step at one token.
   *
   * @param id of the token.
   * @param before {hidden, cell} of the token before, or null at the first.
   * @param forced for each gate a value to hold each unit at, or none: {forget: {3: 0.5}}.
   */
  step(id, before, forced = {}) {
    const H = this.units;
    const { embedding, input, hidden, input_bias, hidden_bias } = this.weights;
    const was = before ?? { hidden: new Float64Array(H), cell: new Float64Array(H) };
    const word = embedding.subarray(id * this.inputs, (id + 1) * this.inputs);
    const fromInput = product(input, word, 4 * H);
    const fromMemory = product(hidden, was.hidden, 4 * H);
    const sums = fromInput.map((sum, at) => sum + input_bias[at] + fromMemory[at] + hidden_bias[at]);
    const held = (gate, unit, value) => forced[gate]?.[unit] ?? value;

    const gates = {
      input: sums.slice(0, H).map((sum, unit) => held("input", unit, sigmoid(sum))),
      forget: sums.slice(H, 2 * H).map((sum, unit) => held("forget", unit, sigmoid(sum))),
      candidate: sums.slice(2 * H, 3 * H).map(Math.tanh),
      output: sums.slice(3 * H).map((sum, unit) => held("output", unit, sigmoid(sum))),
    };
    const cell = was.cell.map(
      (value, unit) => gates.forget[unit] * value + gates.input[unit] * gates.candidate[unit],
    );
    const shown = cell.map((value, unit) => gates.output[unit] * Math.tanh(value));
    return { gates, cell, hidden: shown, before: was, probabilities: this.answer(shown) };
  }

  /** The steps along a text; `forced` holds what to force at each token. */
  read(ids, forced = []) {
    const steps = [];
    for (const [at, id] of ids.entries()) steps.push(this.step(id, steps[at - 1] ?? null, forced[at]));
    return steps;
  }

  /** Probabilities of the classes: one output for two classes, else one for each. */
  answer(hidden) {
    const { head, head_bias } = this.weights;
    const logits = product(head, hidden, this.outputs).map((sum, at) => sum + head_bias[at]);
    if (this.outputs === 1) return [sigmoid(-logits[0]), sigmoid(logits[0])];
    const top = Math.max(...logits);
    const shares = Array.from(logits, (logit) => Math.exp(logit - top));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / total);
  }

  /** What each unit's hidden state adds to the score of a class. */
  votes(hidden, watched) {
    const { head } = this.weights;
    const sign = this.outputs === 1 && watched === 0 ? -1 : 1;
    const row = this.outputs === 1 ? 0 : watched;
    return hidden.map((value, unit) => sign * head[row * hidden.length + unit] * value);
  }
}
