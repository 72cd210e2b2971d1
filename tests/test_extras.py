"""What needs an extra says so in one line, with the command that installs it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import openpyxl
import pytest

from fixtures.toy_bundle import toy
from fixtures.without_extras import command, run
from sentir.bundle import save_bundle
from sentir.errors import MissingExtraError
from sentir.extras import EXTRA_OF, TRAINING, is_installed, report_missing, require

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extras")
    save_bundle(toy(), folder / "model")
    save_bundle(toy(), folder / "other")
    (folder / "new.csv").write_text("label,text\nnegative,the film was bad\n")
    (folder / "new.parquet").write_bytes(b"PAR1\x15" + bytes(64))
    (folder / "new.arrow").write_bytes(b"ARROW1\0\0" + bytes(64))
    openpyxl.Workbook().save(folder / "new.xlsx")
    (folder / "new.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    return folder


def test_installed_or_not() -> None:
    assert is_installed("numpy")
    assert not is_installed("nothing_of_this_name")
    require("this", *TRAINING)
    with report_missing("this"):
        pass


def extras_of(requirements: list[str]) -> set[str]:
    """The extras of sentir itself among requirements."""
    own = [re.fullmatch(r"sentir\[(.+)\]", requirement) for requirement in requirements]
    return {extra for match in own if match for extra in match[1].split(",")}


def test_every_package_is_of_an_extra_that_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert {*EXTRA_OF.values()} <= extras.keys()
    # `all` is everything on one machine: clusters and clouds are for those who have them.
    users = extras.keys() - {"all", "dev", "docs", "spark", "ray", "s3", "gcs"}
    assert extras_of(extras["all"]) | extras_of(extras["train"]) == users
    assert "all" in extras_of(extras["dev"])
    assert {EXTRA_OF[package] for package in TRAINING} <= extras_of(extras["train"]) | {"train"}


def test_other_errors_pass() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"), report_missing("this"):
        import nothing_of_this_name  # type: ignore[import-not-found]  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match="torch"), report_missing("this"):
        raise ModuleNotFoundError("No module named 'torch.x'", name="torch.x")  # torch is here


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.extras.is_installed", lambda name: name != "torch")
    message = r"this needs the package torch, .*; pip install 'sentir\[train\]'"
    with pytest.raises(MissingExtraError, match=message):
        require("this", "numba", "torch")
    with pytest.raises(MissingExtraError, match=message), report_missing("this"):
        raise ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        ("train new.csv --output run", "torch", "train"),
        ("pretrain new.csv --output run", "torch", "train"),
        ("lesson step", "torch", "train"),
        ("evaluate model new.csv --engine torch", "torch", "train"),
        ("evaluate model new.csv --engine numba", "numba", "numba"),
        ("evaluate model new.parquet", "pyarrow", "parquet"),
        ("evaluate model new.arrow", "pyarrow", "parquet"),
        ("predict model new.xlsx", "openpyxl", "xlsx"),
        ("predict model new.csv --output new.out.parquet", "pyarrow", "parquet"),
        ("predict model new.csv --output new.out.csv.zst", "pyarrow", "parquet"),
        ("predict model new.csv.zst", "pyarrow", "parquet"),
        ("sample --output sample.parquet", "pyarrow", "parquet"),
        ("explain model bad --picture gates.svg", "matplotlib", "plots"),
        ("evaluate model https://127.0.0.1:9/new.csv", "fsspec", "hub"),
        ("evaluate model s3://bucket/new.csv", "fsspec", "hub"),
        ("evaluate model imdb:test", "huggingface_hub", "hub"),
        ("predict hf://user/model bad", "huggingface_hub", "hub"),
        ("push model user/model --license mit", "huggingface_hub", "hub"),
        ("audit new.csv", "sklearn", "train"),
        ("compare model other --output page.html", "jinja2", "train"),
        ("compare model other --test new.csv", "scipy", "train"),
    ],
)
def test_commands_name_the_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, package: str, extra: str
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    output, messages, code = command(*arguments.split())
    assert code == 2
    assert output == ""
    error = " ".join(messages.split())
    assert error.startswith("error: ")
    assert error.endswith(
        f"needs the package {package}, which is not installed; pip install 'sentir[{extra}]'"
    )
    assert len(messages.splitlines()) <= 3  # one line, which the terminal may break
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "package"), [("train", "torch"), ("pretrain", "torch"), ("audit", "torch")]
)
def test_python_names_the_extra(name: str, package: str) -> None:
    output = run(
        "import sentir\n"
        f"try:\n    sentir.{name}\n"
        "except sentir.SentirError as error:\n    print(error)\n"
    )
    assert output == (
        f"sentir.{name} needs the package {package}, which is not installed; "
        "pip install 'sentir[train]'\n"
    )


@pytest.mark.parametrize(
    ("call", "package", "extra"),
    [
        ("sentir.spark.answers(None, 'model')", "pyspark", "spark"),
        ("sentir.ray.Answers(None)", "ray", "ray"),
        ("sentir.answering('model')", "pyarrow", "parquet"),
    ],
)
def test_engines_of_clusters_name_the_extra(call: str, package: str, extra: str) -> None:
    program = (
        "import sentir.spark, sentir.ray\n"
        f"try:\n    {call}\nexcept sentir.SentirError as error:\n    print(error)\n"
    )
    message = run(program).strip()
    assert f" needs the package {package}, which is not installed" in message
    assert message.endswith(f"pip install 'sentir[{extra}]'")


def test_the_estimator_names_the_extra() -> None:
    program = (
        "from sentir.errors import MissingExtraError\n"
        "try:\n    import sentir.sklearn\nexcept MissingExtraError as error:\n    print(error)\n"
    )
    message = run(program).strip()
    assert message.startswith("sentir.sklearn needs the package torch, which is not installed")
    assert message.endswith("pip install 'sentir[train]'")
