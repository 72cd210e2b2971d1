"""`sentir.ray` without Ray; on Ray it is tested in ``tests/cluster``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

import sentir
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import save_bundle
from sentir.ray import Answers


def test_tables_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.extras.is_installed", lambda name: True)
    save_bundle(toy(), tmp_path / "model")
    answer = sentir.answering(tmp_path / "model")
    texts = random_texts(30)
    table = pa.table({"text": pa.chunked_array([texts[:10], texts[10:]])})
    answers = Answers(answer)(table)
    assert answers.drop(["prediction", "probability"]).equals(table)
    assert answers.schema.metadata == {b"sentir.model": answer.identity.encode()}
    (batch,) = table.combine_chunks().to_batches()
    assert answers.equals(pa.Table.from_batches([answer(batch)]))
    empty = Answers(dataclasses.replace(answer))(table.slice(0, 0))
    assert (empty.num_rows, empty.schema) == (0, answers.schema)
