"""Files in and out: columns kept, rows without text kept, any size, nothing left behind."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.served import Reply, Served, serving, two_models
from sentir.config import ReadOptions
from sentir.inference.files import PredictionColumns, predict_file
from sentir.inference.predictor import Predictor, load
from sentir.io.reader import BadRows
from sentir.serving.options import Limits

TOLERANCE = 1e-5
CSV, TSV, NDJSON = "text/csv", "text/tab-separated-values", "application/x-ndjson"
ROWS = [{"id": "1", "text": "the film was good", "note": "a,b"},
        {"id": "2", "text": "", "note": 'says "no"'},
        {"id": "3", "text": "dull\nand bad", "note": "ñ 😀"}]  # fmt: skip


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(
        two_models(folder), limits=Limits(max_file_bytes=3_000_000, read_timeout_s=1, max_files=1)
    ) as served:
        yield served


@pytest.fixture(scope="module")
def predictor(folder: Path, served: Served) -> Predictor:
    return load(folder / "shop")


def table(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def sent(served: Served, content: bytes, kind: str = CSV, query: str = "") -> Reply:
    return served.ask("POST", f"/v1/files?model=shop{query}", content, kind=kind)


def labelled(predictor: Predictor, tmp_path: Path, content: bytes, format: Any) -> bytes:
    """What ``sentir predict`` makes of the file."""
    source, output = tmp_path / f"in.{format}", tmp_path / f"out.{format}"
    source.write_bytes(content)
    predict_file(
        PredictionColumns(predictor), str(source), str(output),
        options=ReadOptions(format=format), bad_rows=BadRows(),
    )  # fmt: skip
    return output.read_bytes()


GZIPPED = gzip.compress(b"text\ngood\n", mtime=0)  # the time would be in the test's name


@pytest.mark.parametrize(("kind", "format"), [(CSV, "csv"), (TSV, "tsv"), (NDJSON, "jsonl")])
def test_a_file_is_labelled_as_by_the_command(
    served: Served, predictor: Predictor, tmp_path: Path, kind: str, format: str
) -> None:
    rows = [{**row, "text": row["text"].replace("\n", " ")} for row in ROWS]
    content = (
        table(rows, "\t" if format == "tsv" else ",")
        if format != "jsonl"
        else "".join(json.dumps({**row, "n": [1, None]}) + "\n" for row in rows).encode()
    )
    reply = sent(served, content, kind)
    assert (reply.status, reply.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert reply.body == labelled(predictor, tmp_path, content, format)
    assert len(reply.body.splitlines()) == len(content.splitlines())


def test_all_classes_and_a_named_column(served: Served, predictor: Predictor) -> None:
    rows = [{"a": "good", "b": "bad"}]
    reply = sent(served, table(rows), query="&probabilities=true&text_column=b")
    (row,) = csv.DictReader(io.StringIO(reply.body.decode()))
    assert list(row) == ["a", "b", "prediction", "probability", "probability_negative",
                         "probability_positive"]  # fmt: skip
    assert float(row["probability_negative"]) == pytest.approx(
        predictor.predict_proba(["bad"])[0, 0], abs=TOLERANCE
    )


@settings(max_examples=30)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_any_texts_come_back(served: Served, texts: list[str]) -> None:
    content = "".join(json.dumps({"text": text, "n": n}) + "\n" for n, text in enumerate(texts))
    if not texts:
        return
    reply = sent(served, content.encode(), NDJSON)
    assert reply.status == 200, reply.body
    rows = [json.loads(line) for line in reply.body.splitlines()]
    assert [(row["text"], row["n"]) for row in rows] == [(t, n) for n, t in enumerate(texts)]


def test_many_chunks(served: Served, predictor: Predictor) -> None:
    """A client that sends 2,000 chunks before it reads anything."""
    lines = [json.dumps({"text": f"good bad {number}", "n": number}) + "\n"
             for number in range(20_000)]  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    parts = ("".join(lines[start : start + 10]).encode() for start in range(0, len(lines), 10))
    connection.request(
        "POST", "/v1/files?model=shop", parts, {"content-type": NDJSON}, encode_chunked=True
    )
    reply = connection.getresponse()
    rows = [json.loads(line) for line in reply.read().splitlines()]
    connection.close()
    assert [row["n"] for row in rows] == list(range(20_000))
    assert rows[7]["probability"] == pytest.approx(
        predictor.predict_one("good bad 7").probability, abs=TOLERANCE
    )


def test_bad_rows(served: Served) -> None:
    content = b'{"text": "good"}\n[]\n{"text": "bad"}\n'
    status, message = served.refusal("POST", "/v1/files?model=shop", content, kind=NDJSON)
    assert status == 422
    assert message == 'body:2: JSON list, not an object; write {"text": ..., "label": ...}'
    reply = sent(served, content, NDJSON, "&on_error=skip")
    assert (reply.status, reply.headers["sentir-skipped-rows"]) == (200, "1")
    assert len(reply.body.splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "query", "status", "message"),
    [
        (b"", "", 422, "body: is empty; check how it was written"),
        (b"a,b\n1,2\n", "", 422, "body: none of the columns 'a', 'b' has a usual name"),
        (b"text\ngood\n", "&text_column=txet", 422, "body: no column 'txet' among 'text'"),
        (b"text,prediction\ngood,x\n", "", 422, "body: has a column 'prediction' already"),
        (GZIPPED, "", 415, "a compressed file; send it uncompressed"),
        (b"text\ngood\n", "&on_error=stop", 422, "settings: on_error = 'stop'"),
        (b"text\ngood\n", "&probabilities=1", 422, "probabilities: '1' is neither true nor false"),
        (b"text\ngood\n", "&x=1", 422, "x: unknown parameter; known are model, "),
        (b"text\ngood\n", "&model=shop", 422, "model: given twice; leave one"),
        (b"text\n" + b"x" * 3_000_000, "", 413, "the body has more than 3,000,000 bytes"),
    ],
)  # fmt: skip
def test_bad_requests(
    served: Served, content: bytes, query: str, status: int, message: str
) -> None:
    got = served.refusal("POST", f"/v1/files?model=shop{query}", content, kind=CSV)
    assert (got[0], got[1][: len(message)]) == (status, message)


def test_another_content_type(served: Served) -> None:
    status, message = served.refusal("POST", "/v1/files?model=shop", b"x", kind="application/pdf")
    assert status == 415
    assert message.startswith("content-type 'application/pdf'; send text/csv")


def test_a_body_that_grows_too_large(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    parts = (b"x" * 100_000 for _ in range(31))
    connection.request(
        "POST", "/v1/files?model=shop", parts, {"content-type": CSV}, encode_chunked=True
    )
    assert connection.getresponse().status == 413
    connection.close()


def head(served: Served) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    client.sendall(
        b"POST /v1/files?model=shop HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n"
        b"content-length: 100\r\n\r\ntext\n"
    )
    return client


def test_a_client_that_stops_sending(served: Served) -> None:
    with head(served) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")
    assert served.metric('sentir_refused_total{reason="slow_client"}') >= 1


def test_too_many_files(served: Served) -> None:
    with head(served) as client:
        status = 0
        while status != 503:  # until the server has read that head
            reply = sent(served, b"text\ngood\n")
            status = reply.status
        assert reply.headers["retry-after"] == "5"
        assert "1 files are being labelled" in reply.json["error"]
        client.recv(1000)


def test_a_client_that_goes_away(served: Served) -> None:
    content = b"text\n" + b"good bad dull\n" * 100_000
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(
            b"POST /v1/files?model=shop HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n"
            + f"content-length: {len(content)}\r\n\r\n".encode() + content
        )  # fmt: skip
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    reply = sent(served, b"text\ngood\n")
    while reply.status == 503:
        reply = sent(served, b"text\ngood\n")
    assert reply.status == 200
    assert served.metric('sentir_requests_total{code="499",route="/v1/files"}') == 1
    assert served.service.batcher.queued == 0


def test_a_failure_in_the_middle_breaks_the_answer_off(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = served.service.models.get("shop")
    calls = iter([False] * 3 + [True] * 1000)
    original = model.predictor.batch_probabilities

    def fail(ids: Any) -> Any:
        if next(calls):
            raise ValueError("a text: secret")
        return original(ids)

    monkeypatch.setattr(model.predictor, "batch_probabilities", fail)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request(
        "POST", "/v1/files?model=shop", b"text\n" + b"good\n" * 5000, {"content-type": CSV}
    )
    reply = connection.getresponse()
    assert reply.status == 200
    with pytest.raises(http.client.IncompleteRead):
        reply.read()
    connection.close()
    assert "ValueError at " in caplog.text
    assert "secret" not in caplog.text


def test_a_full_disk(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(io.BytesIO):
        def write(self, part: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sentir.serving.endpoints.files._spool", Full)
    got = served.refusal("POST", "/v1/files?model=shop", b"text\ngood\n", kind=CSV)
    assert got == (507, "the server has no room for the file")
    assert "No space left on device" in caplog.text


def test_nothing_is_left(served: Served) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    threads = [threading.Thread(target=sent, args=(served, table(ROWS))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    new = set(Path(tempfile.gettempdir()).iterdir()) - before
    assert not [path for path in new if path.name.startswith("sentir-")]
