"""CPU seconds of the same answers by ``sentir predict``, in parts, on Spark and on Ray.

    python3 dev.py cluster    # once: makes the environment
    build/cluster/bin/python benchmarks/clusters.py RUN [--reviews 8192] [--rounds 3]

The reviews are Amazon's test file, in 16 files of JSON lines. Each way starts from nothing, and
computes on two cores. CPU seconds are those of all its processes, sampled every 0.2 s; a way is
also run on 64 reviews, whose seconds are the start-up. Linux only. Prints a Markdown table: medians
of the rounds, which alternate between the ways.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from reviews import add_data_option, read_labelled, reviews_file

FILES, FEW = 16, 64
TICKS = os.sysconf("SC_CLK_TCK")
MARK = "SENTIR_BENCHMARK"


def spark(model: str, source: str, output: str) -> None:
    from pyspark.sql import SparkSession

    from sentir.spark import answers

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    # As many tasks as files: Spark would put these small ones together.
    frame = session.read.schema("id int, text string").json(source).repartition(FILES)
    answers(frame, model).write.json(output)
    session.stop()


def ray(model: str, source: str, output: str) -> None:
    import ray
    import ray.data

    import sentir
    from sentir.ray import Answers

    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=1 << 29, log_to_driver=False)
    labelled = ray.data.read_json(source).map_batches(
        Answers,
        fn_constructor_args=[sentir.answering(model)],
        batch_format="pyarrow",
        batch_size=1024,
        compute=ray.data.ActorPoolStrategy(size=2),
    )
    labelled.write_json(output)
    ray.shutdown()


def ways(model: Path, source: Path, output: Path) -> dict[str, list[list[str]]]:
    """By name: the commands of a way, which run at the same time."""
    python = sys.executable
    predict = [python, "-m", "sentir", "predict", str(model)]
    folder = [*predict, str(source), "-o", f"{output}/"]
    inside = [python, __file__, "--inside"]
    paths = [str(model), str(source), str(output)]
    return {
        "`sentir predict`, one file": [[*predict, f"{source}/*.jsonl", "-o", f"{output}.jsonl"]],
        "`sentir predict`, a folder": [folder],
        "`sentir predict`, two parts at once": [[*folder, "--part", f"{n}/2"] for n in (0, 1)],
        "Spark, `local[2]`": [[*inside, "spark", *paths]],
        "Ray, two actors": [[*inside, "ray", *paths]],
    }


def measure(commands: list[list[str]]) -> tuple[float, float]:
    """Wall seconds of commands that run at the same time, and CPU seconds of all their processes.

    A process is known by its environment, which is inherited: engines start sessions of their own.
    """
    mark = uuid.uuid4().hex
    one_core = {"OMP_NUM_THREADS": "1"} if len(commands) > 1 else {}
    environment = {**os.environ, MARK: mark, "RAY_USAGE_STATS_ENABLED": "0",
                   "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
                   **one_core}  # fmt: skip
    wanted = f"{MARK}={mark}".encode()
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for command in commands
    ]
    seconds: dict[int, float] = {}
    is_ours: dict[int, bool] = {}
    while any(process.poll() is None for process in running):
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            pid = int(entry.name)
            try:
                if pid not in is_ours or not is_ours[pid]:
                    is_ours[pid] = wanted in (entry / "environ").read_bytes()
                if is_ours[pid]:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    seconds[pid] = (int(fields[11]) + int(fields[12])) / TICKS
            except OSError:  # it has ended
                continue
        time.sleep(0.2)
    wall = time.perf_counter() - began
    for process in running:
        if process.returncode and process.stderr:
            sys.exit(f"{process.args}: {process.stderr.read().decode()[-2000:]}")
    return wall, sum(seconds.values())


def write_reviews(texts: list[str], folder: Path) -> Path:
    folder.mkdir()
    for number in range(FILES):
        lines = [json.dumps({"id": row, "text": texts[row]})
                 for row in range(number, len(texts), FILES)]  # fmt: skip
        (folder / f"{number:02}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", help="folder of a run")
    parser.add_argument("--reviews", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    add_data_option(parser)
    parser.add_argument("--inside", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        {"spark": spark, "ray": ray}[args.inside[0]](*args.inside[1:])
        return
    _, texts = read_labelled(reviews_file(args.data, "amazon", "test"))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sources = {
            count: write_reviews((texts * (1 + count // len(texts)))[:count], work / str(count))
            for count in (FEW, args.reviews)
        }
        found: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for round in range(args.rounds):
            for count, source in sources.items():
                output = work / f"out-{count}-{round}"
                for number, way in enumerate(ways(args.model, source, output)):
                    commands = ways(args.model, source, Path(f"{output}-{number}"))[way]
                    found.setdefault((way, count), []).append(measure(commands))
                    print(way, count, found[way, count][-1], file=sys.stderr)
    print(f"| way | wall s | CPU s | of these at start | CPU ms per review |\n{'|---' * 5}|")
    for way in dict.fromkeys(way for way, _ in found):
        start, (wall, cpu) = (
            [statistics.median(values) for values in zip(*found[way, count], strict=True)]
            for count in (FEW, args.reviews)
        )
        each = 1000 * (cpu - start[1]) / (args.reviews - FEW)
        print(f"| {way} | {wall:.1f} | {cpu:.1f} | {start[1]:.1f} | {each:.2f} |")


if __name__ == "__main__":
    main()
