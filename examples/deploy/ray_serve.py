"""A model as an application of Ray Serve, which puts requests together into batches.

    pip install 'ray[serve]' 'sentir[numba]'
    serve run ray_serve:app model=/models/shop

Ray runs as many replicas as are asked for, on all machines of the cluster; the folder of the model
must be there on each. It answers `{"text": ...}` or `{"texts": [...]}` at http://127.0.0.1:8000.
"""

import asyncio
import itertools
import json
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

import sentir

MAX_TEXTS = 1024


@serve.deployment(num_replicas=1, max_ongoing_requests=256, ray_actor_options={"num_cpus": 1})
class Sentiment:
    """One replica: a model, and the requests that wait for it."""

    def __init__(self, model: str) -> None:
        self._model = sentir.load(model, bulk=True)

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0)
    async def answer(self, requests: list[list[str]]) -> list[list[dict[str, Any]]]:
        """The predictions of each request."""
        texts = [text for request in requests for text in request]
        # In a thread, so that the replica goes on to take requests.
        predictions = await asyncio.to_thread(self._model.predict, texts)
        answers = [{"label": one.label, "probability": one.probability} for one in predictions]
        ends = list(itertools.accumulate(map(len, requests)))
        return [answers[end - len(one) : end] for one, end in zip(requests, ends, strict=True)]

    async def __call__(self, request: Request) -> JSONResponse:
        """A request of HTTP."""
        try:
            body = await request.json()
            texts = body["texts"] if "texts" in body else [body["text"]]
        except (json.JSONDecodeError, KeyError, TypeError):
            texts = None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            return JSONResponse({"error": 'send {"text": ...} or {"texts": [...]}'}, 422)
        if not 0 < len(texts) <= MAX_TEXTS:
            return JSONResponse({"error": f"send 1 to {MAX_TEXTS:,} texts"}, 422)
        return JSONResponse({"predictions": await self.answer(texts)})


def app(arguments: dict[str, str]) -> serve.Application:
    """The application; `model` is the folder of a run."""
    return Sentiment.bind(arguments["model"])
