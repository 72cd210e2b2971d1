"""The examples of deployment: linted, and their commands are understood."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from sentir.cli import app
from sentir.inference.folder_files import Part, is_folder

DEPLOY = Path(__file__).parents[1] / "examples" / "deploy"


def understood(arguments: list[str], name: str = "serve") -> dict[str, Any]:
    """The parameters that a command reads from the arguments."""
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    parameters: dict[str, Any] = command.make_context(name, arguments).params
    return parameters


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


def test_the_container_file_is_linted() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_container_holds_no_secrets_and_no_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
    assert "USER 10001" in lines
    assert 'ENTRYPOINT ["sentir", "serve"]' in lines
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert sent[0] == "*"  # only what is named
    root = DEPLOY.parents[1]
    assert all((root / line[1:]).exists() for line in sent if line.startswith("!"))
    command = " ".join(line.lstrip("# ").rstrip("\\") for line in lines if line.startswith("#"))
    words = command.split()
    parameters = understood(words[words.index("sentir", words.index("run")) + 1 :])
    assert parameters["host"] == "0.0.0.0"
    assert parameters["api_key_file"] == Path("/keys.txt")


@pytest.mark.parametrize("document", documents("kubernetes.yaml"), ids=lambda one: one["kind"])
def test_manifests_fit_their_schema(document: Any) -> None:
    kubernetes_validate.validate(document, "1.34", strict=True)


def test_the_deployment_is_asked_where_it_answers() -> None:
    deployment, service, _ = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    parameters = understood(container["args"])
    assert (parameters["host"], parameters["port"]) == ("0.0.0.0", 8000)
    assert container["ports"][0]["containerPort"] == 8000
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in ("/health/ready", "/health/live")
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert pod["terminationGracePeriodSeconds"] > parameters["drain_s"] + 30
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_kserve_gives_arguments_that_are_understood() -> None:
    (service,) = documents("kserve.yaml")
    (container,) = service["spec"]["predictor"]["containers"]
    assert understood(container["args"])["port"] == container["ports"][0]["containerPort"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"],
           "spec": service["spec"]["predictor"]}  # fmt: skip
    kubernetes_validate.validate(pod, "1.34", strict=True)


def test_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "sentir.service").read_text("utf-8")
    (start,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    program, command, *arguments = shlex.split(start.removeprefix("ExecStart="))
    assert (Path(program).name, command) == ("sentir", "serve")
    assert understood(arguments)["watch"]
    analyser = shutil.which("systemd-analyze")
    if analyser is None:
        pytest.skip("no systemd here")
    unit = tmp_path / "sentir.service"
    unit.write_text(text.replace(program, "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        [analyser, "verify", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_job_gives_each_part_once() -> None:
    (job,) = documents("predict-job.yaml")
    kubernetes_validate.validate(job, "1.34", strict=True)
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sentir", "predict"]
    assert spec["completionMode"] == "Indexed"
    last = str(spec["completions"] - 1)
    arguments = [one.replace("$(JOB_COMPLETION_INDEX)", last) for one in container["args"]]
    parameters = understood(arguments, "predict")
    assert Part.parse(parameters["part"]) == Part(int(last), spec["completions"])
    assert is_folder(parameters["output"])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["template"]["spec"]["volumes"]}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize("parts", ["", "64"])
def test_the_array_gives_each_part_once(tmp_path: Path, parts: str) -> None:
    """The script is run with a program in the place of sentir that prints its arguments."""
    (tmp_path / "sentir").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', "utf-8")
    (tmp_path / "sentir").chmod(0o755)
    script = DEPLOY / "predict.slurm"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": "7",
                   "SLURM_ARRAY_TASK_COUNT": "64" if not parts else "1",
                   **({"PARTS": parts} if parts else {})}  # fmt: skip
    done = subprocess.run(
        ["bash", script, "runs/a shop", "new/", "labelled"],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    command, *arguments = done.stdout.splitlines()
    parameters = understood(arguments, command)
    assert parameters["model"] == "runs/a shop"
    assert parameters["inputs"] == ["new/"]
    assert parameters["output"] == "labelled/"
    assert Part.parse(parameters["part"]) == Part(7, 64)
    lines = script.read_text("utf-8").splitlines()
    assert len([line for line in lines if line.startswith("#SBATCH --")]) == 5
