"""``sentir serve`` under load, compared with the same model in process.

    python benchmarks/serving.py [--parts speed,latency,overload,reloads,sigterm,idle,soak]
        [--preset base | --model RUN --reviews FILE] [--engine auto] [--seconds 10]
        [--overload-seconds 60] [--soak-seconds 600] [--reloads 1000] [--sigterms 100]
        [--workers 1] [--pin] [--record]

Without --model the network has random weights, which take the same time as trained ones, and the
reviews are those of `inference_speed`, about 108 tokens long. Speed is in texts per second of the
server's processor time, so that the client on the same machine does not count; the batcher is
measured in this process. Every answer is compared with the one in process. --pin gives the server
the first half of the cores and the client the others. Prints a Markdown table with the target of
each line and the load average at the end, and exits with 1 if a target was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvloop
from inference_speed import random_bundle, random_reviews
from load import Client, Outcome
from measurements import FOLDER, Row, append_row, command_line, markdown_table, provenance
from reviews import read_labelled
from server_process import Process, free_port, started

from sentir.bundle import load_bundle, save_bundle
from sentir.inference.predictor import Predictor
from sentir.serving.batcher import Batcher

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, CLIENT_CORES = set(_CORES[: -(-len(_CORES) // 2)]), set(_CORES[len(_CORES) // 2 :])
CLIENTS = 64
TEXTS = 4096
KEY = "benchmark"
#: Texts whose tokens are about as many as those of a review of 140.
LATENCY_TOKENS = 140
#: Connections of an overload: many more than the queue of its server has places.
CONNECTIONS, PLACES = 1024, 512
PLAIN = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route
from sentir.inference.predictor import load
model = load(sys.argv[1], sys.argv[2], bulk=True)
model.predict(["warm"] * 100)
version = model.bundle.checksum.removeprefix("sha256:")[:12]
async def predict(request):
    text = (await request.json())["text"]
    label, probability = await run_in_threadpool(model.predict_one, text)
    return JSONResponse({"version": version, "predictions": [{"probability": probability}]})
async def ready(request):
    return JSONResponse({})
app = Starlette(routes=[Route("/v1/predict", predict, methods=["POST"]),
                        Route("/health/ready", ready)])
uvicorn.run(app, port=int(sys.argv[3]), log_level="critical", access_log=False)
"""


class Results:
    """Lines of the table; each says whether its target was met."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.lines: list[Row] = []
        self.is_missed = False

    def add(self, what: str, value: float, target: float | None = None, *, most: bool = False,
            form: str = ".2f") -> None:  # fmt: skip
        sign = "at most" if most else "at least"
        is_met = target is None or (value <= target if most else value >= target)
        self.is_missed |= not is_met
        goal = "" if target is None else f"{sign} {target:g}"
        self.lines.append({
            "what": what, "value": f"{value:{form}}", "target": goal, "reached": is_met,
            "load": round(os.getloadavg()[0], 1),
        })  # fmt: skip
        self.rows.append([what, f"{value:{form}}", goal, "" if is_met else "missed"])
        print(f"{what}: {value:{form}} {goal} {'' if is_met else 'MISSED'}", file=sys.stderr)


class Bench:
    """The model, the texts, and what Python answers."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.options, self.folder, self.engine = options, folder, options.engine
        self.seconds: float = options.seconds
        self.model = folder / "model"
        bundle = load_bundle(options.model) if options.model else random_bundle(options.preset)
        save_bundle(bundle, self.model)
        self.predictor = Predictor(load_bundle(self.model), self.engine, bulk=True)
        self.texts = random_reviews(TEXTS)
        if options.reviews:
            self.texts = read_labelled(options.reviews)[1][:TEXTS]
        self.results = Results()
        self.peak = 0.0

    def expected(self, predictor: Predictor, size: int) -> dict[str, list[list[float]]]:
        best = predictor.predict_proba(self.texts).max(axis=1)
        version = predictor.bundle.checksum.removeprefix("sha256:")[:12]
        return {version: [best[at : at + size].tolist() for at in range(0, len(self.texts), size)]}

    def client(self, port: int, size: int = 1, texts: Sequence[str] | None = None) -> Client:
        requests = [self.texts[at : at + size] for at in range(0, len(self.texts), size)]
        if texts is not None:
            return Client(port, [[text] for text in texts])
        return Client(port, requests, self.expected(self.predictor, size))

    @contextmanager
    def server(self, *options: str) -> Iterator[Process]:
        port = free_port()
        keys = self.folder / "keys"
        keys.write_text(KEY)
        command = [
            sys.executable, "-m", "sentir", "serve", f"model={self.model}", "--port", str(port),
            "--engine", self.engine, "--admin-key-file", str(keys),
            "--workers", str(self.options.workers), *options,
        ]  # fmt: skip
        with started(command, port, KEY, self.server_cores) as server:
            yield server

    @property
    def server_cores(self) -> set[int] | None:
        return SERVER_CORES if self.options.pin else None

    def per_cpu_s(self, work: Callable[[], object], texts: int) -> float:
        start = time.process_time()
        work()
        return texts / (time.process_time() - start)

    def served_per_cpu_s(self, server: Process, size: int) -> tuple[float, Outcome]:
        client = self.client(server.port, size)
        client.closed_loop(CLIENTS, 2)
        start = server.cpu_s()
        outcome = client.closed_loop(CLIENTS, self.seconds)
        check(outcome)
        return size * outcome.statuses[200] / (server.cpu_s() - start), outcome

    def batcher(self) -> None:
        async def main() -> None:
            batcher, texts = Batcher(max_queued_texts=len(self.texts)), iter(self.texts)

            async def ask() -> None:
                for text in texts:
                    await batcher.probabilities(self.predictor, [text])

            await asyncio.gather(*(ask() for _ in range(CLIENTS)))
            batcher.close()

        uvloop.run(main())

    # The parts.

    def speed(self) -> None:
        add = self.results.add
        self.predictor.predict(self.texts)
        rounds = [
            (self.per_cpu_s(lambda: self.predictor.predict(self.texts), len(self.texts)),
             self.per_cpu_s(self.batcher, len(self.texts)))
            for _ in range(15)
        ]  # fmt: skip
        file, batched = (statistics.median(column) for column in zip(*rounds, strict=True))
        share = statistics.median(batched / file for file, batched in rounds)
        add("a file in process, texts per CPU second", file, form=".0f")
        add("batcher in process, 64 at a time, of the file's", share, 0.95)
        port = free_port()
        command = [sys.executable, "-c", PLAIN, str(self.model), self.engine, str(port)]
        with self.server() as server, started(command, port, KEY, self.server_cores) as plain:
            single, outcome = self.served_per_cpu_s(server, 1)
            self.peak = outcome.rate
            add("served, one text a request, 64 clients, of the file's", single / file, 0.5)
            add("  of a plain endpoint's, predict_one in threads",
                single / self.served_per_cpu_s(plain, 1)[0], 2.4)  # fmt: skip
            add("  of the batcher's in process", single / batched)
            many, _ = self.served_per_cpu_s(server, 64)
            add("served, 64 texts a request, 64 clients, of the file's", many / file, 0.8)

    def latency(self) -> None:
        tokenizer = self.predictor.bundle.tokenizer
        long = [text for text in self.texts
                if abs(len(tokenizer.encode([text])[0]) - LATENCY_TOKENS) < 15]  # fmt: skip
        times = []
        for text in long:
            start = time.perf_counter()
            self.predictor.predict_one(text)
            times.append(time.perf_counter() - start)
        one_ms = 1000 * statistics.median(times)
        with self.server() as server:
            client = self.client(server.port, texts=long)
            client.closed_loop(1, 1)
            alone = client.closed_loop(1, self.seconds)
            self.results.add(
                "one client: median ms beyond predict_one", alone.quantile_ms(0.5) - one_ms, 1,
                most=True,
            )  # fmt: skip
            peak = client.closed_loop(CLIENTS, self.seconds).rate
            half = client.open_loop(CLIENTS, self.seconds, peak / 2)
            self.results.add("half load: p99 ms", half.quantile_ms(0.99), 10, most=True)

    def overload(self) -> None:
        add, seconds = self.results.add, self.options.overload_seconds
        with self.server("--max-queued-texts", str(PLACES)) as server:
            client = self.client(server.port)
            client.closed_loop(CLIENTS, 2)
            cpu_s, answers = server.cpu_s(), client.closed_loop(CLIENTS, self.seconds)
            peak = answers.rate
            per_cpu_s = answers.statuses[200] / (server.cpu_s() - cpu_s)
            add("peak: answers per second", peak, form=".0f")
            client.open_loop(CONNECTIONS, self.seconds, 2 * peak)  # what it needs at most
            for times in (2, 10):
                memory, cpu_s = server.memory_mb(), server.cpu_s()
                outcome = client.open_loop(CONNECTIONS, seconds, times * peak)
                used_s = server.cpu_s() - cpu_s
                name = f"{times} times the peak, {seconds:.0f} s"
                add(f"{name}: answers, of the peak's", outcome.rate / peak,
                    0.9 if times == 2 else None)  # fmt: skip
                add("  per second of the server's processor, of the peak's",
                    outcome.statuses[200] / used_s / per_cpu_s)  # fmt: skip
                add("  requests, of the peak's answers", outcome.statuses.total()
                    / outcome.duration_s / peak)  # fmt: skip
                add("  refusals, p99 ms after the request was sent", outcome.refused_ms(0.99),
                    50 if times == 2 else None, most=True, form=".0f")  # fmt: skip
                add("  answered wrongly, or lost", outcome.wrong + outcome.statuses[0], 0,
                    most=True, form=".0f")  # fmt: skip
                add("  growth in memory, MB", server.memory_mb() - memory, 20, most=True,
                    form=".1f")  # fmt: skip

    def reloads(self, count: int) -> None:
        rng, old = np.random.default_rng(1), load_bundle(self.model)
        weights = dict(old.weights)
        weights["head.bias"] = weights["head.bias"] + rng.normal(size=1).astype(np.float32)
        other = self.folder / "other"
        save_bundle(type(old)(**{**vars(old), "weights": weights}), other)
        new = load_bundle(other)
        expected = {**self.expected(self.predictor, 1),
                    **self.expected(Predictor(new, self.engine, bulk=True), 1)}  # fmt: skip
        with self.server() as server:
            client = Client(server.port, [[text] for text in self.texts], expected)
            memory, stop = server.memory_mb(), threading.Event()
            outcomes: list[Outcome] = []

            def load() -> None:
                while not stop.is_set():
                    outcomes.append(client.closed_loop(8, 1))

            thread = threading.Thread(target=load)
            thread.start()
            for number in range(count):
                save_bundle((new, old)[number % 2], self.model)
                answer = json.loads(server.get("/admin/reload", "POST", b"{}"))
                assert answer["models"][0]["changed"]
            stop.set()
            thread.join()
            answered = sum(outcome.statuses[200] for outcome in outcomes)
            lost = sum(outcome.statuses.total() for outcome in outcomes) - answered
            add = self.results.add
            add(f"{count} reloads under load: requests answered", answered, form=".0f")
            add("  lost", lost, 0, most=True, form=".0f")
            wrong = sum(outcome.wrong for outcome in outcomes)
            add("  answered wrongly", wrong, 0, most=True, form=".0f")
            add("  growth in memory, MB", server.memory_mb() - memory, form=".1f")

    def sigterm(self, count: int) -> None:
        failed = wrong = answered = 0
        for _ in range(count):
            with self.server() as server:
                client = self.client(server.port)
                outcomes: list[Outcome] = []
                thread = threading.Thread(target=sigterm_load, args=(client, outcomes))
                thread.start()
                time.sleep(0.5)
                server.process.send_signal(signal.SIGTERM)
                failed += server.process.wait(timeout=60) != 0
                thread.join()
                # Status 0 is a connection that was refused, once nobody listens any more.
                answered += outcomes[0].statuses[200]
                wrong += outcomes[0].wrong
        add = self.results.add
        add(f"{count} SIGTERMs under load: requests answered", answered, form=".0f")
        add("  answered wrongly", wrong, 0, most=True, form=".0f")
        add("  exit codes that are not 0", failed, 0, most=True, form=".0f")

    def idle(self, count: int = 10_000) -> None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with self.server("--read-timeout-s", "60") as server:
            idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
            outcome = self.client(server.port).closed_loop(8, 3)
            check(outcome)
            self.results.add(f"{count:,} idle connections: answers", outcome.statuses[200], 1,
                             form=".0f")  # fmt: skip
            for one in idle:
                one.close()

    def soak(self) -> None:
        with self.server() as server:
            client, seconds = self.client(server.port), self.options.soak_seconds
            client.closed_loop(CLIENTS, 10)
            memory, answered = server.memory_mb(), 0
            for _ in range(max(1, round(seconds / 10))):  # so that the client forgets too
                outcome = client.closed_loop(CLIENTS, 10)
                check(outcome)
                answered += outcome.statuses[200]
            add = self.results.add
            add(f"{seconds:.0f} s of load: answers", answered, form=".0f")
            add("  growth in memory, MB", server.memory_mb() - memory, 20, most=True, form=".1f")


def sigterm_load(client: Client, outcomes: list[Outcome]) -> None:
    outcomes.append(client.closed_loop(16, 1.5))


def check(outcome: Outcome) -> None:
    """No answer may be wrong, and no connection lost."""
    if outcome.wrong or outcome.statuses[0] or not outcome.statuses[200]:
        sys.exit(f"{outcome.wrong} wrong answers; by status {dict(outcome.statuses)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", default="speed,latency,overload,reloads,sigterm,idle,soak")
    parser.add_argument("--preset", default="base")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--model", type=Path, help="folder of a run, instead of random weights")
    parser.add_argument("--reviews", type=Path, help="fastText file, instead of random reviews")
    parser.add_argument("--overload-seconds", type=float, default=60)
    parser.add_argument("--soak-seconds", type=float, default=600)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--sigterms", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pin", action="store_true")
    parser.add_argument("--record", action="store_true", help="append to results/serving.jsonl")
    options = parser.parse_args()
    if options.pin:
        os.sched_setaffinity(0, CLIENT_CORES)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options)
        counts = {"reloads": options.reloads, "sigterm": options.sigterms}
        for part in options.parts.split(","):
            getattr(bench, part)(*([counts[part]] if part in counts else []))
    if options.record:
        names = {str(options.model): "RUN", str(options.reviews): "REVIEWS"}
        words = [names.get(word, word) for word in sys.argv[1:] if word != "--record"]
        more = {"command": command_line("serving", *words), **provenance()}
        for line in bench.results.lines:
            append_row(FOLDER / "serving.jsonl", {**line, **more, "date": more["date"][:10]})
    print("load average of 1, 5 and 15 minutes:", *os.getloadavg(), file=sys.stderr)
    print(markdown_table(("", "measured", "target", ""), bench.results.rows, last=2))
    sys.exit(bench.results.is_missed)


if __name__ == "__main__":
    main()
