"""The site for users: it builds without warnings, and what it shows is true of the code."""

from __future__ import annotations

import argparse
import html
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer

from sentir.cli import app

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"
GENERATED = {SITE / "reference" / "command-line.md", SITE / "reference" / "settings.md"}
PAGES = sorted(
    path
    for path in SITE.rglob("*.md")
    if path not in GENERATED and SITE / "project" not in path.parents
)
READMES = [ROOT / "README.md", ROOT / "README.es.md"]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = {
    option
    for command in [*COMMANDS.values(), *COMMANDS["lesson"].commands.values()]
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
}
#: Pages whose code is run, in this order, in one folder.
CODE = (
    "quickstart.md",
    "es/quickstart.md",
    "how-to/export.md",
    "how-to/hub.md",
    "how-to/many-machines.md",
    "how-to/python.md",
    "how-to/sentences.md",
    "how-to/unsure.md",
    "how-to/scikit-learn.md",
    "how-to/tune.md",
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


def launcher() -> argparse.ArgumentParser:
    """The options of torchrun."""
    from torch.distributed.run import get_args_parser

    parser: argparse.ArgumentParser = get_args_parser()
    return parser


#: A part of a built page.
CONTENTS = [
    ("reference/settings", "peak learning rate (AdamW)"),
    ("reference/settings", "whole number, at least 1"),
    ("reference/settings", 'backslash (it is \\"), none'),
    ("reference/command-line", "--layerwise-lr-decay"),
    ("reference/command-line", "sentir lesson page"),
    ("reference/api", "sentir.train"),
    ("project/internals", "Where to add"),
    ("project/benchmarks", "learning-curves-amazon.svg"),
    ("project/experiments", "negative"),
    ("project/reliability", "What is not promised"),
    ("project/decisions/index", "0101-atomic-writes.html"),
    ("project/results/README", "2026-11-27-ablation.html"),
    ("es/quickstart", "Primeros pasos"),
]


def test_it_builds_without_warnings(tmp_path: Path) -> None:
    """One test, as the build takes most of the time, and writes pages beside its sources."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", SITE, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for page, content in CONTENTS:
        text = html.unescape((tmp_path / f"{page}.html").read_text("utf-8"))
        assert content in text, (page, content)
    check_links(tmp_path)
    check_reference((SITE / "reference" / "command-line.md").read_text("utf-8"))


def check_links(site: Path) -> None:
    """Every link leads to a file, and to a place in it."""
    pages = {path.resolve(): path.read_text("utf-8") for path in site.rglob("*.html")}
    anchors = {path: {*re.findall(r'\bid="([^"]+)"', text)} for path, text in pages.items()}
    checked = 0
    for path, text in pages.items():
        text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            address = urlsplit(link)
            if address.scheme or re.match(r"(?:\.\./)?course/", link):  # built by docs/build.py
                continue
            file = (path.parent / unquote(address.path)).resolve() if address.path else path
            assert file.is_file(), f"{path}: {link}"
            if address.fragment and file in anchors:
                assert unquote(address.fragment) in anchors[file], f"{path}: {link}"
            checked += 1
    assert checked > 1000


def check_reference(reference: str) -> None:
    """Every command and every option is in the reference."""
    names = [
        *(set(COMMANDS) - {"lesson"}),
        *(f"lesson {name}" for name in COMMANDS["lesson"].commands),
    ]
    assert len(names) > 10
    for name in names:
        assert f"\n## sentir {name}\n" in reference, name
    for option in OPTIONS - {"--help", "--help-all", "-h"}:
        assert option in reference, option


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=name_of)
def test_every_command_is_understood(page: Path) -> None:
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    for line in [re.split("  #| > ", line)[0] for line in lines]:
        if line.startswith("torchrun "):
            launched = launcher().parse_args(shlex.split(line)[1:])
            assert (launched.module, launched.training_script) == (True, "sentir")
            name, *arguments = launched.training_script_args
        elif line.startswith("sentir "):
            _, name, *arguments = shlex.split(line)
        else:
            continue
        # Reads the arguments, as the command would, and does not run it.
        COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_option_exists(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", text):
        assert option in OPTIONS or option in launcher_options(), option


def launcher_options() -> set[str]:
    return {name for action in launcher()._actions for name in action.option_strings}


def test_every_message_exists() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    plain = re.sub(r'"\s*\n\s*f?"', "", sources)
    page = (SITE / "how-to" / "errors.md").read_text("utf-8")
    messages = re.findall(r"^\| `([^`]+)` \|", page, re.M)
    assert len(messages) > 40
    for message in messages:
        assert message in plain, message


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_the_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    from fixtures.tiny_runs import TINY
    from sentir import config
    from sentir.io.writer import write_records
    from sentir.synthetic.reviews import sample_reviews

    monkeypatch.setitem(config.PRESETS, "fast", TINY)
    for name, language, count in (
        ("reviews", "en", 120), ("held_out", "en", 30),
        ("opiniones", "es", 120), ("reservadas", "es", 30),
    ):  # fmt: skip
        reviews = sample_reviews(count, language=language)
        rows = [{"label": label, "text": text} for label, text in reviews]
        write_records(rows, f"{name}.csv", "csv")
    for page in CODE:
        for block in blocks(SITE / page, "python"):
            exec(compile(block, page, "exec"), {})
        if page == "quickstart.md":  # the folder that its commands make
            shutil.copytree("runs/python", "runs/shop")
    assert "Prediction(label=" in capsys.readouterr().out
    for name in ("shop", "tienda", "model"):
        assert (tmp_path / f"{name}.onnx").exists()


def test_only_these_pages_have_code() -> None:
    assert {page.relative_to(SITE).as_posix() for page in PAGES if blocks(page, "python")} == {
        *CODE
    }


def test_the_settings_file_is_one() -> None:
    import tomllib

    from sentir.config import Config

    (block,) = blocks(SITE / "how-to" / "train.md", "toml")
    changes = tomllib.loads(block)
    config = Config.preset(changes.pop("preset")).override(changes)
    assert (config.train.epochs, config.model.hidden_size) == (4, 48)


def test_files_that_are_named_exist() -> None:
    internals = (ROOT / "docs" / "internals.md").read_text("utf-8")
    names = set(re.findall(r"`([a-z_]+/[a-z_/0-9]+(?:\.py|/))`", internals))
    assert len(names) > 40
    for name in names:
        assert (ROOT / "src" / "sentir" / name).exists() or (ROOT / name).exists(), name
    for page in PAGES:
        for link in re.findall(r"blob/main/([\w./-]+)", page.read_text("utf-8")):
            assert (ROOT / link).exists(), link


def test_a_dead_link_of_a_project_page_is_found(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("project_pages", SITE / "project_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    docs, target = tmp_path / "docs", tmp_path / "copy"
    docs.mkdir()
    for name in ("internals.md", "benchmarks.md", "reliability.md", "experiments.md", "scale.md"):
        (docs / name).write_text("[a](benchmarks.md#b) [c](../README.md)\n", "utf-8")
    with pytest.raises(FileNotFoundError, match=r"README\.md, which does not exist"):
        module.copy_project_pages(docs, target)
    (tmp_path / "README.md").touch()
    module.copy_project_pages(docs, target)
    expected = f"[a](benchmarks.md#b) [c]({module.REPOSITORY}README.md)\n"
    assert (target / "internals.md").read_text("utf-8") == expected
    (docs / "old.svg").touch()
    module.copy_project_pages(docs, target)
    (docs / "old.svg").unlink()
    module.copy_project_pages(docs, target)
    assert not (target / "old.svg").exists()
