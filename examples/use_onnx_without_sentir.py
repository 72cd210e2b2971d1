"""Answer with an exported model by ONNX Runtime and NumPy alone, as another program would.

    python examples/use_onnx_without_sentir.py model.onnx tokenizer.json "A text." "Another."

Without arguments it trains a small model and exports it first. The network is the very same. The
words are cut by one regular expression here, which is near what Sentir does (the rules of the Penn
Treebank, after the cleaning steps that the model's metadata names) but not all of it: where answers
have to be equal to the last word, make the ids with Sentir.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else newer versions send usage data
import onnxruntime


def answer(model: Path, tokenizer: Path, texts: list[str]) -> None:
    """Print the likeliest label of each text."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map  # each value is JSON
    labels, unknown = json.loads(about["labels"]), json.loads(about["unknown"])
    longest, first = json.loads(about["max_length"]), json.loads(about["first_tokens"])
    words = json.loads(tokenizer.read_text("utf-8"))["vocabulary"]
    id_of = {word: id for id, word in enumerate(words)}

    reviews = []
    for text in texts:
        # "can't" is "ca" and "n't" to the Treebank; "it's" is "it" and "'s".
        apart = re.sub(r"(n't|'\w+)\b", r" \1", text.lower())
        tokens = re.findall(r"n't|'\w+|\w+|[^\w\s]", apart)
        ids = [id_of.get(token, unknown) for token in tokens]
        if len(ids) > longest:  # the middle of a long text is not read
            ids = ids[:first] + ids[len(ids) - (longest - first) :]
        reviews.append(ids or [unknown])

    lengths = np.array([len(ids) for ids in reviews], dtype=np.int64)
    padded = np.full((len(reviews), lengths.max()), json.loads(about["pad"]), dtype=np.int64)
    for row, ids in enumerate(reviews):
        padded[row, : len(ids)] = ids
    (probabilities,) = session.run(["probabilities"], {"ids": padded, "lengths": lengths})
    for text, shares in zip(texts, probabilities, strict=True):
        print(f"{labels[shares.argmax()]} {shares.max():.2f}  {text}")


def demo() -> None:
    """What Sentir is needed for: to train and to export."""
    from sentir import Config, train
    from sentir.inference.export import export

    with tempfile.TemporaryDirectory() as folder:
        config = Config.preset("fast").override(
            {"bigram_buckets": 0, "hidden_size": 16, "epochs": 1}
        )
        run = train(train=("sample",), output=Path(folder) / "run", config=config)
        export(run.bundle, Path(folder) / "model.onnx")
        tokenizer = run.folder / "model" / "tokenizer.json"
        texts = ["The film was wonderful.", "I can't say it was bad."]
        answer(Path(folder) / "model.onnx", tokenizer, texts)


if len(sys.argv) > 3:
    answer(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
else:
    demo()
