// Predict in Node with the folder of `sentir export RUN --to web --output page`: without Python, with
// the tokenizer and the network of the page, and so with the answers that Sentir gives.
//
//     node examples/use_page_in_node.mjs page "A text." "Another."
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...texts] = process.argv.slice(2);
if (!texts.length) {
  console.error("usage: node use_page_in_node.mjs FOLDER TEXT...");
  process.exit(2);
}
const place = (name) => resolve(folder, name);

const { Model } = await import(pathToFileURL(place("model.js")));
const model = await Model.load((name) => readFile(place(name)));
const answers = await model.probabilities(texts.map((text) => model.read(text).ids));
answers.forEach((shares, at) => {
  const best = shares.indexOf(Math.max(...shares));
  console.log(`${model.labels[best]} ${shares[best].toFixed(6)}  ${texts[at]}`);
});
