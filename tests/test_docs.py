"""What the README and the examples say is run as it stands there."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.tiny_runs import TINY
from sentir import cli, config
from sentir.inference.export import export
from sentir.inference.predictor import Predictor, load
from sentir.synthetic.reviews import sample_reviews
from sentir.training import loop
from sentir.training.run import Run, train

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
READMES = ["README.md", "README.es.md"]


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(readme: str) -> list[str]:
    lines = "".join(blocks(readme, "console")).splitlines()
    return [line for line in lines if line.startswith("sentir ")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(example)])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out


def test_the_exported_model_reads_the_same_parts_of_a_long_text(
    tiny_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [word for word in tiny_run.bundle.tokenizer.vocabulary if re.fullmatch("[a-z]+", word)]
    assert len(words) > 100  # more than it reads
    text, file = " ".join(words[:100]), tmp_path / "model.onnx"
    export(tiny_run.bundle, file)
    tokenizer = tiny_run.folder / "model" / "sentir_tokenizer.json"
    monkeypatch.setattr(sys, "argv", ["example", str(file), str(tokenizer), text])
    runpy.run_path(str(ROOT / "examples" / "use_onnx_without_sentir.py"), run_name="__main__")
    found = load(tiny_run.folder).predict_one(text)
    assert capsys.readouterr().out == f"{found.label} {found.probability:.2f}  {text}\n"


def test_the_example_in_node_answers_as_python(
    tiny_run: Run, tmp_path: Path, onnxruntime_web: Path
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here")
    export(tiny_run.bundle, tmp_path / "page", to="web", runtime=onnxruntime_web)
    texts = ["I can't say that the film was bad.", "&iexcl;Qu&eacute; \u201cbonito\u201d!"]
    example = ROOT / "examples" / "use_page_in_node.mjs"
    done = subprocess.run(
        [node, example, tmp_path / "page", *texts],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    answers = load(tiny_run.folder).predict(texts)
    for line, text, answer in zip(done.stdout.splitlines(), texts, answers, strict=True):
        label, probability, shown = re.split(r" +", line, maxsplit=2)
        assert (label, shown) == (answer.label, text)
        assert float(probability) == pytest.approx(answer.probability, abs=1e-5)


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
@pytest.mark.parametrize("readme", READMES)
def test_the_readme_runs(
    readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for preset in (config.DEFAULT_PRESET, "best", "fast"):
        monkeypatch.setitem(config.PRESETS, preset, TINY)
    monkeypatch.setattr(loop, "MIN_STEPS", 2)
    for name, count in (("reviews", 90), ("held_out", 30), ("other", 30), ("new", 10)):
        rows = [f'"{text}",{label}' for label, text in sample_reviews(count) if '"' not in text]
        Path(f"{name}.csv").write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    texts = (text.replace("\n", " ") for _, text in sample_reviews(60, seed=1))
    Path("unlabelled.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    assert len(commands(readme)) >= 5
    for command in commands(readme):
        monkeypatch.setattr(sys, "argv", shlex.split(command, comments=True))
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code, f"{command}: {capsys.readouterr().err}"
    for block in blocks(readme, "python"):
        exec(compile(block, readme, "exec"), {})
    assert Path("runs/shop/report.html").exists()
    assert Path("labelled.csv").exists()
    assert Path("gates.svg").exists()
    assert Path("runs/shop/model.onnx").exists()
    assert Path("runs/best/model").exists()
    assert Path("runs/python/model").exists()


def test_both_readmes_show_the_same_commands() -> None:
    english, spanish = (commands(readme) for readme in READMES)
    assert [shlex.split(line)[:3] for line in english] == [
        shlex.split(line)[:3] for line in spanish
    ]


@pytest.mark.parametrize("readme", READMES)
def test_what_the_readme_names_is_there(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (ROOT / link).exists(), link
    tree = re.search(r"```\n(src/sentir/\n.*?)```", text, flags=re.DOTALL)
    assert tree
    names = re.findall(r"\b(\w+(?:/|\.py))(?=\s)", tree[1].removeprefix("src/sentir/"))
    assert len(names) >= 9
    for name in names:
        assert (ROOT / "src" / "sentir" / name).exists(), name


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_is_short(readme: str) -> None:
    assert len((ROOT / readme).read_text("utf-8").splitlines()) <= 110


@pytest.mark.long
def test_a_model_of_real_reviews_answers_as_the_readme_says(
    real_data: Path, tmp_path: Path, messages
) -> None:
    run = train(real_data / "amazon" / "train.ft.txt.bz2", tmp_path / "run")
    predictor = Predictor(run.bundle)
    for readme in READMES:
        text = (ROOT / readme).read_text("utf-8")
        rows = re.findall(r"^\| (.+) \| (negative|positive) (\d\.\d\d) \|$", text, re.MULTILINE)
        assert len(rows) >= 4
        for review, label, probability in rows:
            answer = predictor.predict_one(review)
            assert answer.label == label, review
            assert answer.probability == pytest.approx(float(probability), abs=0.2), review
