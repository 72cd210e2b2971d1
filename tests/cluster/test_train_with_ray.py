"""The example of Ray Train trains one model on two workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.tiny_runs import write_fasttext
from sentir.bundle import load_bundle

pytestmark = pytest.mark.cluster
EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "train_with_ray.py"


def test_the_example_trains_one_model(tmp_path: Path) -> None:
    pytest.importorskip("ray.train.torch", reason="needs ray[train]")
    write_fasttext(tmp_path / "train.ft.txt", 100)
    places = [str(tmp_path / name) for name in ("train.ft.txt", "run", "storage")]
    done = subprocess.run(
        [sys.executable, EXAMPLE, *places],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert load_bundle(tmp_path / "run" / "model").metrics["training"]["stopped"] == "finished"
    assert "2 processes" in (tmp_path / "run" / "report.html").read_text()
