"""``sentir serve``: models behind HTTP, and a page to try them on."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import ENGINE, PRECISION, app
from sentir.cli.options import options_of
from sentir.errors import UsageError
from sentir.extras import SERVING, require
from sentir.io.hub_model import find_address
from sentir.io.stores import address_of
from sentir.serving.options import Limits

LOG = logging.getLogger("sentir.serving")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@app.command()
@options_of(common=(), limits=(Limits(), "Limits"))
def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]RUN...",
            help="folders of runs, or hf://user/model; NAME names the model",
        ),
    ],
    *,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option(help="file of keys, one per line, any of which opens the server")
    ] = None,
    admin_key_file: Annotated[
        Path | None, typer.Option(help="file of keys, any of which opens POST /admin/reload")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="answer everybody at an address others can reach")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="reload a model when its folder changes")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            help="processes that share the address; each loads the models and has "
            "limits of its own (Linux and macOS)",
        ),
    ] = 1,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="a site whose pages may call the server; repeatable"),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="log as JSON lines, one per request too")
    ] = False,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="with --log-json: log the texts of requests too")
    ] = False,
    engine: ENGINE = "auto",
    precision: PRECISION = "float32",
    limits: dict[str, Any],
) -> None:
    """Answer over HTTP, with a page to try the models on.

    The page is at http://127.0.0.1:8000, the description of all paths at /openapi.json.
    SIGTERM lets requests that have begun finish.

    [bold]Examples[/bold]

      sentir serve runs/shop
      sentir serve shop=runs/shop hotels=runs/hotels --watch
      sentir serve runs/shop --host 0.0.0.0 --api-key-file keys.txt --log-json
      sentir serve runs/shop --workers 4
    """
    if log_texts and not log_json:
        raise UsageError("--log-texts without --log-json", todo="pass both")
    require("sentir serve", *SERVING)
    from sentir.inference.cores import batch_workers
    from sentir.serving.logs import json_lines
    from sentir.serving.models import Models
    from sentir.serving.options import ServerOptions
    from sentir.serving.server import (
        Server,
        bind,
        check_exposure,
        prepare_process,
        read_keys,
    )
    from sentir.serving.service import Service

    paths = named_folders(models)
    for path in paths.values():
        if watch and (address := find_address(path) or address_of(path)):
            raise UsageError(
                f"--watch of {address}, which is no folder",
                todo="leave it out; POST /admin/reload asks the Hub for the latest commit",
            )
    options = ServerOptions(
        api_keys=read_keys(api_key_file) if api_key_file else (),
        admin_keys=read_keys(admin_key_file) if admin_key_file else (),
        cors_origins=tuple(cors_origin or ()),
        log_json=log_json,
        log_texts=log_texts,
    )
    check_exposure(host, has_keys=bool(options.api_keys), insecure=insecure)
    if workers > 1 and sys.platform == "win32":
        raise UsageError("--workers on Windows", todo="serve at several ports instead")
    given = Limits(**limits)
    with bind(host, port) as listener, json_lines() if log_json else nullcontext():
        if workers > 1:
            from sentir.serving.supervisor import Supervisor
            from sentir.serving.worker import WorkerSettings

            slots = max(1, batch_workers() // workers)
            settings = WorkerSettings(
                paths=paths, engine=engine, precision=precision, options=options, limits=given,
                watch=watch, slots=slots,
            )  # fmt: skip
            Supervisor(settings, listener, workers).run()
        else:
            service = Service(Models(paths, engine=engine, precision=precision), options, given)
            server = Server(service, watch=watch)
            prepare_process()
            for model in service.models:
                LOG.info(model.summary)
            server.run([listener])
        LOG.info("all requests answered, ended")


def named_folders(models: Sequence[str]) -> dict[str, Path]:
    """The folder of each model by its name: ``shop=runs/shop``, or ``runs/shop``, which is shop.

    Raises:
        UsageError: a name that cannot be part of a URL, or two models of one name.
    """
    paths: dict[str, Path] = {}
    for model in models:
        name, equals, folder = model.partition("=")
        if not equals or Path(model).exists():
            path = Path(model)
            name = (path.resolve().parent if path.name == "model" else path.resolve()).name
        else:
            path = Path(folder)
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot name a model", where=model,
                todo="give a name of letters, digits, dots and dashes: NAME=RUN",
            )  # fmt: skip
        if name in paths:
            raise UsageError(
                f"two models are called {name!r}", where=model, todo="name one: NAME=RUN"
            )
        paths[name] = path
    return paths
