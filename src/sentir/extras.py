"""Packages that only some work needs: the extra that installs each, and what is said without it.

``pip install sentir`` is enough to answer: load, predict, evaluate, explain and export on texts and
text files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from sentir.errors import MissingExtraError

#: The extra of each package, by the name that it is imported by.
EXTRA_OF = {
    "aiohttp": "hub",
    "filelock": "train",
    "fsspec": "hub",
    "gcsfs": "gcs",
    "httptools": "serve",
    "huggingface_hub": "hub",
    "jinja2": "train",
    "matplotlib": "plots",
    "msgspec": "serve",
    "numba": "numba",
    "openpyxl": "xlsx",
    "optuna": "tune",
    "pandas": "spark",
    "prometheus_client": "serve",
    "pyarrow": "parquet",
    "pyspark": "spark",
    "ray": "ray",
    "s3fs": "s3",
    "scipy": "train",
    "sklearn": "train",
    "starlette": "serve",
    "tensorboard": "tensorboard",
    "torch": "train",
    "uvicorn": "serve",
}
#: What the server needs.
SERVING = ("starlette", "msgspec", "uvicorn", "httptools", "prometheus_client")
#: What every training needs, sooner or later.
TRAINING = ("torch", "sklearn", "scipy", "jinja2", "matplotlib", "pyarrow", "filelock")


def is_installed(package: str) -> bool:
    """Whether a package is there; it is not imported."""
    return find_spec(package) is not None


def require(purpose: str, *packages: str) -> None:
    """Check that packages are installed, before work that ends without them.

    Args:
        purpose: what needs them, as the start of a sentence.
        packages: names in `EXTRA_OF`.

    Raises:
        MissingExtraError: one is not; it names the command that installs it.
    """
    for package in packages:
        if not is_installed(package):
            raise MissingExtraError(package, EXTRA_OF[package], purpose)


@contextmanager
def report_missing(purpose: str) -> Iterator[None]:
    """Around work that may be training, whose modules import what they need as they are loaded.

    Args:
        purpose: what the work is, as the start of a sentence.

    Raises:
        MissingExtraError: one of `TRAINING` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in TRAINING or is_installed(package):
            raise
        first = next(package for package in TRAINING if not is_installed(package))
        raise MissingExtraError(first, "train", purpose) from None
