// From a text to probabilities, in a browser or in Node. B texts of a batch.
import * as ort from "./onnxruntime/ort.js";
import { Tokenizer } from "./tokenizer.js";

const RUNTIME = "onnxruntime/ort-wasm-simd-threaded";

/** Texts that are computed at once. */
const BATCH = 16;

export class Model {
  /** @param read from the name of a file of this folder to its bytes (a promise). */
  static async load(read) {
    const names = ["model.json", "model.onnx", `${RUNTIME}.wasm`];
    const [description, network, wasmBinary] = await Promise.all(names.map(read));
    // More threads would need headers that not every server sends.
    const wasmPaths = { mjs: new URL(`${RUNTIME}.js`, import.meta.url).href };
    Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths, wasmBinary });
    const session = await ort.InferenceSession.create(network);
    return new Model(session, JSON.parse(new TextDecoder().decode(description)));
  }

  constructor(session, description) {
    Object.assign(this, { session, ...description });
    this.tokenizer = new Tokenizer(description.rules, description.clean, description.words);
  }

  /** The words that are read of a text, their ids, and how many words the text has. */
  read(text) {
    const every = this.tokenizer.tokens(text);
    const tokens = this.tokenizer.truncated(every, this.max_length);
    return { tokens, ids: tokens.map((word) => this.tokenizer.id(word)), count: every.length };
  }

  /** The probabilities of the classes, in the order of `labels`, of each list of ids. */
  async probabilities(reviews) {
    const filled = reviews.map((ids) => (ids.length ? ids : [this.unknown]));
    const longest = Math.max(...filled.map((ids) => ids.length));
    const ids = new BigInt64Array(filled.length * longest).fill(BigInt(this.pad));
    filled.forEach((review, row) => ids.set(review.map(BigInt), row * longest));
    const lengths = BigInt64Array.from(filled, (review) => BigInt(review.length));
    const { probabilities } = await this.session.run({
      ids: new ort.Tensor("int64", ids, [filled.length, longest]),
      lengths: new ort.Tensor("int64", lengths, [filled.length]),
    });
    const classes = this.labels.length;
    return filled.map((_, row) => Array.from(probabilities.data.slice(row * classes, (row + 1) * classes)));
  }

  /** The predicted class: the likeliest, or that of the model's decision rule, which may be the median. */
  decide(probabilities) {
    if (this.decision_is_median) {
      let upTo = 0;
      const median = probabilities.findIndex((share) => (upTo += share) >= 0.5);
      return median < 0 ? probabilities.length - 1 : median;
    }
    const scores = probabilities.map((share, at) => share * (this.decision_weights?.[at] ?? 1));
    return scores.indexOf(Math.max(...scores));
  }

  /**
   * What each word does (occlusion: Zeiler and Fergus 2014): the probabilities of the text without
   * it. Yields lists of them, in the order of the words.
   */
  async *without(ids) {
    for (let start = 0; start < ids.length; start += BATCH) {
      const at = Array.from({ length: Math.min(BATCH, ids.length - start) }, (_, index) => start + index);
      yield await this.probabilities(at.map((gone) => ids.filter((_, index) => index !== gone)));
    }
  }
}
