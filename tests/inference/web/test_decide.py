"""The page names the class that Python names, by any rule: model.js run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sentir.decision import DecisionRule, decision_scores

SOURCE = Path(__file__).parents[3] / "src/sentir/inference/web/static/model.js"
SCRIPT = """
import { readFileSync } from "node:fs";
import { Model } from "./model.js";
const { rows, description } = JSON.parse(readFileSync(process.argv[2]));
console.log(JSON.stringify(rows.map((row) => Model.prototype.decide.call(description, row))));
"""


@pytest.mark.parametrize(
    "rule",
    [
        None,
        DecisionRule(optimise="macro-f1", weights=(1.0, 2.0, 0.5, 1.0, 3.0)),
        DecisionRule(optimise="mae", weights=(1.0,) * 5),
    ],
)
def test_pages_decide_as_python_does(tmp_path: Path, rule: DecisionRule | None) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    rows_NC = np.random.default_rng(0).dirichlet(np.full(5, 0.5), 200)
    rows_NC = np.concatenate([rows_NC, np.eye(5), [[0.25, 0.25, 0.5, 0, 0]]])
    shutil.copy(SOURCE, tmp_path / "model.js")
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "ort.js").write_text("export const env = {};")
    (tmp_path / "tokenizer.js").write_text("export class Tokenizer {}")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "script.js").write_text(SCRIPT)
    description = {
        "decision_weights": rule and rule.weights,
        "decision_is_median": rule is not None and rule.is_median,
    }
    given = {"rows": rows_NC.tolist(), "description": description}
    (tmp_path / "given.json").write_text(json.dumps(given))
    done = subprocess.run(
        [node, "script.js", "given.json"],
        cwd=tmp_path, capture_output=True, check=True, encoding="utf-8",
    )  # fmt: skip
    expected = decision_scores(rows_NC, rule).argmax(axis=1).tolist()
    assert json.loads(done.stdout) == expected
    assert len(set(expected)) == 5
