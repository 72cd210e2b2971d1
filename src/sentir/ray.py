"""Answers on Ray Data: `Answers` is a class for ``Dataset.map_batches``.

Ray writes into the final folder, and what a lost writer left stays there. Where that matters, take
`sentir.spark` or ``sentir predict --part``.
"""

from __future__ import annotations

from typing import Any

from sentir.extras import require
from sentir.inference.answering import BatchAnswers


class Answers:
    """Adds predictions to batches; an actor of Ray holds one.

    >>> answer = sentir.answering("/models/shop")  # doctest: +SKIP
    >>> pool = ray.data.ActorPoolStrategy(size=4)  # doctest: +SKIP
    >>> dataset.map_batches(
    ...     Answers, fn_constructor_args=[answer], batch_format="pyarrow", compute=pool
    ... )  # doctest: +SKIP

    Args:
        answer: what `sentir.answering` returns; its path must be one that all machines see.

    Raises:
        MissingExtraError: Ray or pyarrow is not installed.
    """

    def __init__(self, answer: BatchAnswers) -> None:
        require("sentir.ray", "ray", "pyarrow")
        self._answer = answer

    def __call__(self, table: Any) -> Any:
        """The `pyarrow.Table` with the columns of the predictions added.

        Raises:
            BundleError, DataError: as `sentir.inference.answering.BatchAnswers`.
        """
        import pyarrow as pa

        batches = [self._answer(batch) for batch in table.combine_chunks().to_batches()]
        return pa.Table.from_batches(batches, self._answer.schema(table.schema))
