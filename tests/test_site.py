"""The site for users: it builds without warnings, and what it shows is true of the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from sentir.cli import app

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"
PAGES = sorted(
    path for path in SITE.rglob("*.md") if path.name not in ("command-line.md", "settings.md")
)
OPTIONS = {
    name: {
        option
        for parameter in command.params
        for option in parameter.opts + parameter.secondary_opts
    }
    for name, command in typer.main.get_command(app).commands.items()
    if not hasattr(command, "commands")
}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


def test_it_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", SITE, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "peak learning rate (AdamW)" in (tmp_path / "reference" / "settings.html").read_text(
        "utf-8"
    )
    assert "--layerwise-lr-decay" in (tmp_path / "reference" / "command-line.html").read_text(
        "utf-8"
    )
    assert "sentir.train" in (tmp_path / "reference" / "api.html").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_and_option_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    for line in [line for line in lines if line.startswith("sentir ")]:
        _, command, *words = shlex.split(line)
        given = {word for word in words if word.startswith("-")}
        assert given <= OPTIONS[command], line
    every = {"--course", *(option for options in OPTIONS.values() for option in options)}
    for option in re.findall(
        r"(?<![\w-])--[a-z][\w-]+", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    ):
        assert option in every, option


def test_every_message_exists() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    plain = re.sub(r'"\s*\n\s*f?"', "", sources)
    for message in re.findall(
        r"^\| `([^`]+)` \|", (SITE / "how-to" / "errors.md").read_text("utf-8"), re.M
    ):
        assert message.removesuffix(" 1") in plain, message


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    from fixtures.tiny_runs import TINY
    from sentir import config
    from sentir.synthetic.reviews import sample_reviews

    monkeypatch.setitem(config.PRESETS, "fast", TINY)
    for name, count in (("reviews", 120), ("held_out", 30)):
        rows = [f'"{text}",{label}' for label, text in sample_reviews(count) if '"' not in text]
        Path(f"{name}.csv").write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    for page in (SITE / "quickstart.md", SITE / "how-to" / "python.md"):
        for block in blocks(page, "python"):
            exec(compile(block, str(page), "exec"), {})
    assert (tmp_path / "model.onnx").exists()


def test_files_that_are_named_exist() -> None:
    internals = (ROOT / "docs" / "internals.md").read_text("utf-8")
    for name in set(re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", internals)):
        assert (ROOT / "src" / "sentir" / name).exists() or (ROOT / name).exists(), name
    for page in PAGES:
        for link in re.findall(r"blob/main/([\w./-]+)", page.read_text("utf-8")):
            assert (ROOT / link).exists(), link
