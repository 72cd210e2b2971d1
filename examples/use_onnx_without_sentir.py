"""Predict with an exported model, using only ONNX Runtime and NumPy, as another program would.

    python examples/use_onnx_without_sentir.py model.onnx sentir_tokenizer.json "A text." "Another."

Without arguments it first trains a small model and exports it. The network is the same as in
Sentir. The tokens come from one regular expression, which approximates Sentir's tokenizer (the
rules of the Penn Treebank, after the cleaning steps named in the model's metadata). Where answers
must be identical, make the ids with Sentir.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # newer versions send usage data otherwise
import onnxruntime


def predict(model: Path, tokenizer: Path, texts: list[str]) -> None:
    """Print the most likely label of each text."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map  # each value is JSON
    labels, unknown = json.loads(metadata["labels"]), json.loads(metadata["unknown"])
    longest, first = json.loads(metadata["max_length"]), json.loads(metadata["first_tokens"])
    words = json.loads(tokenizer.read_text("utf-8"))["vocabulary"]
    id_of = {word: id for id, word in enumerate(words)}

    reviews = []
    for text in texts:
        # In the Treebank "can't" is "ca" and "n't"; "it's" is "it" and "'s".
        spaced = re.sub(r"(n't|'\w+)\b", r" \1", text.lower())
        tokens = re.findall(r"n't|'\w+|\w+|[^\w\s]", spaced)
        ids = [id_of.get(token, unknown) for token in tokens]
        if len(ids) > longest:  # a long text loses its middle
            ids = ids[:first] + ids[len(ids) - (longest - first) :]
        reviews.append(ids or [unknown])

    lengths = np.array([len(ids) for ids in reviews], dtype=np.int64)
    padded = np.full((len(reviews), lengths.max()), json.loads(metadata["pad"]), dtype=np.int64)
    for row, ids in enumerate(reviews):
        padded[row, : len(ids)] = ids
    (probabilities,) = session.run(["probabilities"], {"ids": padded, "lengths": lengths})
    for text, shares in zip(texts, probabilities, strict=True):
        print(f"{labels[shares.argmax()]} {shares.max():.2f}  {text}")


def demo() -> None:
    """Train and export, which need Sentir, and predict."""
    import sentir

    with tempfile.TemporaryDirectory() as folder:
        run = sentir.train(
            train="sample", output=Path(folder) / "run", preset="fast",
            bigram_buckets=0, hidden_size=16, epochs=1,
        )  # fmt: skip
        sentir.export(run.bundle, Path(folder) / "model.onnx")
        tokenizer = run.folder / "model" / "sentir_tokenizer.json"
        texts = ["The film was wonderful.", "I can't say it was bad."]
        predict(Path(folder) / "model.onnx", tokenizer, texts)


if len(sys.argv) > 3:
    predict(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
else:
    demo()
