"""The commands under attack, on a problem so small that each takes a fraction of a second."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from attack.operations import run_forked
from sentir import cli
from sentir.synthetic.reviews import sample_reviews

#: A network that learns nothing worth having; validated often, so that there are many checkpoints.
TINY = (
    "--embedding-dim 4 --hidden-size 4 --epochs 2 --batch-size 16 --max-length 20 --eval-steps 3 "
    "--device cpu"
).split()
CLASSIFIER = [*TINY, *"--cell lstm --pooling max --ngram-buckets 64".split()]


@dataclass(frozen=True)
class Command:
    """A command, run in an empty folder beside the data.

    Attributes:
        name: as results call it.
        arguments: of ``sentir``.
        result: what it leaves, relative to the folder: a file, or a run's folder.
        before: what is in the folder when it starts: a run's name in the data, or nothing.
        again: arguments that are added after a kill.
        copies: a file of the data that it gets a copy of, as ``own`` and its extension.
    """

    name: str
    arguments: Sequence[str]
    result: str
    before: str = ""
    again: Sequence[str] = ()
    copies: str = ""

    def prepare(self, data: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.before:
            shutil.copytree(data / self.before, folder / "run")
        if self.copies:
            copy = shutil.copy2(data / self.copies, folder / f"own{Path(self.copies).suffix}")
            os.utime(copy, (1e9, 1e9))


_PRELOADED = {"sentir", "torch", "numpy", "pyarrow", "matplotlib", "onnx", "onnxruntime", "scipy",
              "sklearn", "numba", "jinja2", "rich", "typer", "fsspec", "safetensors"}  # fmt: skip
TRAIN = ["train", "{data}/train.csv", "--output", "run", *CLASSIFIER]
RESUME = ("--resume",)
COMMANDS = (
    Command("train", [*TRAIN, "--test", "{data}/test.jsonl"], "run", again=RESUME),
    Command(
        "train --overwrite", [*TRAIN, "--seed", "5", "--overwrite"], "run", before="other"
    ),
    Command(
        "train --from-lm",
        [*TRAIN, "--from-lm", "{data}/lm", "--embedding-init", "random"],
        "run",
        again=RESUME,
    ),
    Command(
        "train --teacher",
        [*TRAIN, "--teacher", "{data}/other", "--unlabelled", "{data}/more.txt",
         "--teacher-engine", "onnx"],
        "run",
        again=RESUME,
    ),
    Command("pretrain", ["pretrain", "{data}/more.txt", "--output", "run", *TINY], "run",
            again=RESUME),
    Command("export", ["export", "run", "--to", "onnx"], "run/model/model.onnx", before="other"),
    Command("export to a file", ["export", "{data}/other", "--to", "onnx", "-o", "m.onnx"],
            "m.onnx"),
    Command("explain to a picture", ["explain", "{data}/other", "not bad", "--picture", "g.svg"],
            "g.svg"),
    *(
        Command(
            f"predict to {ending}",
            ["predict", "{data}/other", "{data}/train.csv", "-o", f"out.{ending}", "--engine",
             "onnx"],
            f"out.{ending}",
        )
        for ending in ("csv", "jsonl.gz", "parquet", "ft.txt")
    ),
)  # fmt: skip


def sentir(arguments: Sequence[str], data: Path, folder: Path) -> int:
    """Run a command in the folder, in this process.

    Returns:
        Its exit code.
    """
    os.chdir(folder)
    sys.argv = ["sentir", *(argument.format(data=data) for argument in arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def write_data(folder: Path) -> None:
    """The files of reviews that the commands read."""
    folder.mkdir(parents=True)
    rows = sample_reviews(60, seed=3)
    lines = [f'"{text.replace(chr(34), chr(39))}",{label}\n' for label, text in rows]
    (folder / "train.csv").write_text("text,label\n" + "".join(lines), "utf-8")
    tests = [{"text": text, "label": label} for label, text in sample_reviews(20, seed=4)]
    (folder / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in tests), "utf-8")
    texts = [" ".join(text.split()) for _, text in sample_reviews(60, seed=6)]
    (folder / "more.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")


def prepare_data(folder: Path) -> Path:
    """The data: files of reviews, a classifier and a language model; modules are imported too.

    All that the commands import is imported here, once, so that forked processes start at once.
    This process itself computes nothing: after that PyTorch could not be used in a forked one.
    """
    data, modules, said = folder / "data", folder / "modules", folder / "said"
    write_data(data)
    torch.set_num_threads(1)

    def run() -> int:
        more = ["explain", "other", "bad", "--picture", str(folder / "g.svg")]
        code = sentir([*TRAIN[:2], "--output", "other", "--seed", "9", *CLASSIFIER], data, data)
        code = code or sentir(["pretrain", "more.txt", "--output", "lm", *TINY], data, data)
        code = code or sentir(["export", "other", "--to", "onnx", "-o", "../x"], data, data)
        code = code or sentir(["predict", "other", "a", "--engine", "onnx"], data, data)
        code = code or sentir(more, data, data)
        modules.write_text("\n".join(sys.modules))
        return code

    if code := run_forked(run, said).code:
        raise RuntimeError(f"the commands fail without an attack ({code}): {said.read_text()}")
    for name in modules.read_text().split():
        if name.split(".")[0] in _PRELOADED:
            with contextlib.suppress(Exception):  # parts of a package that want others
                importlib.import_module(name)
    return data
