"""Several processes that train one model (data parallelism), as torchrun starts them.

All take the same batches. Of a batch, rank r of W computes rows r, r + W, r + 2 W and so on, and
its gradient counts as much as its share. The gradients are summed in one all-reduce, so all ranks
take the same step from the same weights. Rank 0 alone reads the reviews, writes files and calls
callbacks. A single process is a group of one, in which nothing here does anything.

PyTorch's DistributedDataParallel is not used: without an error it lets the ranks' weights drift
apart where weights are unfrozen, where a task calls parts of a model, and in adversarial training.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from sentir.data.batching import Batch
from sentir.errors import SentirError, SentirWarning, UsageError, WorkerError
from sentir.training.callbacks import Callback, Event
from sentir.training.randomness import seeded

T = TypeVar("T")

#: Longest wait for another process's gradients (seconds), unless the environment says otherwise: so
#: long it takes until a host that vanished without closing its connections is missed.
STEP_TIMEOUT_S = 300
TIMEOUT_VARIABLE = "SENTIR_STEP_TIMEOUT_S"
#: Longest wait for what rank 0 does alone: reading the reviews, fitting the n-gram linear model.
_PATIENCE = timedelta(days=30)
#: What a launcher of PyTorch sets in the environment of each process.
_LAUNCHER = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class SharedTask(Protocol):
    """What the group asks of a task, see `sentir.training.loop.Task`."""

    def weight(self, batch: Batch) -> int: ...

    def rows_read(self, model: Any, batch: Batch) -> Tensor: ...


@dataclass
class ProcessGroup:
    """The processes that train together.

    Attributes:
        rank: which one this is, from 0.
        size: how many there are (W).
        interrupted: whether Ctrl-C was pressed here, which the others do not know yet.
    """

    rank: int = 0
    size: int = 1
    interrupted: threading.Event = field(default_factory=threading.Event)
    _patient: Any = None
    _has_failed: bool = False

    def share_of(self, batch: Batch) -> Batch:
        """The rows of a batch that this rank computes.

        A rank for which there is none computes the first, which then counts nothing: so all ranks
        draw the same random numbers.
        """
        if self.size == 1:
            return batch
        rows = slice(self.rank, None, self.size) if self.rank < len(batch.rows_B) else slice(1)
        return Batch(batch.rows_B[rows], batch.ids_BT[rows].contiguous(), batch.lengths_B[rows])

    def own_randomness(self, seed: int, step: int) -> AbstractContextManager[None]:
        """Let what is drawn in the ``with`` block depend on seed, step and rank (dropout).

        What is drawn outside of it is the same on all ranks, and the same as in a single process.
        """
        if self.size == 1:
            return nullcontext()
        mixed = np.random.SeedSequence((seed, step, self.rank))
        return seeded(int(mixed.generate_state(1, np.uint64)[0]))

    def sum_gradients(
        self,
        model: nn.Module,
        weights: Sequence[nn.Parameter],
        task: SharedTask,
        batch: Batch,
        loss: Tensor,
    ) -> Tensor:
        """Replace the gradients of each rank's share by those of the whole batch.

        Of the embedding only the rows that the batch reads are sent, where they are the fewer.

        Args:
            model: whose embedding it is.
            weights: all that are trained, with the gradients of this rank's share.
            task: says what a batch weighs and which rows of the embedding it reads.
            batch: the whole batch.
            loss: the mean loss of this rank's share.

        Returns:
            The mean loss of the whole batch.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed on one of the ranks.
            WorkerError: another process has ended.
        """
        if self.size == 1:
            return loss
        is_empty = self.rank >= len(batch.rows_B)
        weight = 0 if is_empty else task.weight(self.share_of(batch)) / max(task.weight(batch), 1)
        embedding = model.get_parameter("embedding.weight")
        rows_U, is_sparse = None, False
        if any(one is embedding for one in weights):  # and not rows that were lent of it
            rows_U = task.rows_read(model, batch).to(loss.device)
            is_sparse = 2 * len(rows_U) < len(embedding)
        gradients = []
        for parameter in filter(lambda one: one.requires_grad, weights):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append((parameter.grad, is_sparse and parameter is embedding))
        sent = [grad[rows_U] if by_row else grad for grad, by_row in gradients]
        interrupted = loss.new_tensor([float(self.interrupted.is_set())])
        flat = torch.cat([*(part.flatten() for part in sent), loss.detach()[None], interrupted])
        flat[:-1] *= weight
        with _lost_processes():
            dist.all_reduce(flat)
        sizes = [*(part.numel() for part in sent), 1, 1]
        *parts, loss, interrupted = torch.split(flat, sizes)
        for (gradient, by_row), part, summed in zip(gradients, sent, parts, strict=True):
            if by_row:
                gradient[rows_U] = summed.view_as(part)
            else:
                gradient.copy_(summed.view_as(part))
        if interrupted:
            self.interrupted.clear()
            raise KeyboardInterrupt
        return loss[0]

    def sum(self, array: T) -> T:
        """The sum of a NumPy array over all ranks, in place."""
        if self.size > 1:
            with _lost_processes():
                dist.all_reduce(torch.from_numpy(array), group=self._patient)
        return array

    def together(self, work: Callable[[], T]) -> T:
        """Do work on every rank; if it fails on one, all raise what the first of them did.

        On all ranks but that one the error `is_reported`.
        """
        if self.size == 1:
            return work()
        result = failure = None
        try:
            result = work()
        except (Exception, KeyboardInterrupt) as error:
            failure = error
        failures: list[Any] = [None] * self.size
        with _lost_processes():
            dist.all_gather_object(failures, failure and self._told(failure), group=self._patient)
        first = next((rank for rank, one in enumerate(failures) if one is not None), None)
        if first is None:
            return result  # type: ignore[return-value]
        self._has_failed = True
        raised = failures[first] if failure is None else failure
        if isinstance(raised, SentirError):
            raised.is_reported = first != self.rank
        raise raised

    def _told(self, failure: BaseException) -> BaseException:
        """The failure as other ranks raise it."""
        here = f"rank {self.rank} on {socket.gethostname()}"
        if isinstance(failure, KeyboardInterrupt):
            return KeyboardInterrupt()
        if not isinstance(failure, SentirError):
            return WorkerError(f"{type(failure).__name__}: {failure}", where=here)
        return failure

    def fail(self, error: SentirError | KeyboardInterrupt) -> None:
        """Tell the others of an error outside of `together`, which they are waiting in."""

        def fail() -> None:
            raise error

        if not self._has_failed and not isinstance(error, WorkerError):
            with suppress(type(error), WorkerError):
                self.together(fail)

    def lead(self, work: Callable[[], T]) -> T:
        """Do work on rank 0 alone; all ranks return what it returned, or raise what it raised.

        The others wait for it, however long it takes. What is returned is pickled.
        """
        if self.size == 1:
            return work()
        results = [self.together(work if self.rank == 0 else lambda: None)]
        with _lost_processes():
            dist.broadcast_object_list(results, src=0, group=self._patient)
        return results[0]  # type: ignore[return-value]

    def each(self, value: T) -> Iterator[T]:
        """The values of all ranks, one after the other, each pickled and in memory alone."""
        for rank in range(self.size):
            values = [value if rank == self.rank else None]
            if self.size > 1:
                with _lost_processes():
                    dist.broadcast_object_list(values, src=rank, group=self._patient)
            yield values[0]  # type: ignore[misc]

    def raise_if_interrupted(self) -> None:
        """Within `agreed_interrupts` and `together`: end the work if Ctrl-C was pressed here.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.interrupted.is_set():
            self.interrupted.clear()
            raise KeyboardInterrupt

    def on_rank_0(self, callback: Callback) -> Callback:
        """A callback that is called on rank 0 alone, and whose Ctrl-C waits for the next step."""
        if self.size == 1:
            return callback

        def emit(event: Event) -> None:
            try:
                if self.rank == 0:
                    callback(event)
            except KeyboardInterrupt:
                self.interrupted.set()

        return emit

    def broadcast(self, *models: nn.Module) -> None:
        """Give all ranks the weights and the random state of rank 0."""
        if self.size == 1:
            return
        for tensor in (one for model in models for one in model.state_dict().values()):
            with _lost_processes():
                dist.broadcast(tensor, src=0)
        has_gpu = torch.cuda.is_available()
        states = self.lead(
            lambda: (torch.get_rng_state(), torch.cuda.get_rng_state() if has_gpu else None)
        )
        torch.set_rng_state(states[0])
        if has_gpu and states[1] is not None:
            torch.cuda.set_rng_state(states[1])

    def check_same(self, *models: nn.Module) -> None:
        """Make sure that the weights of all ranks are the same, bit for bit.

        Warns:
            SentirWarning: they were not, as hosts of different kinds may round differently; all
                ranks go on with those of rank 0.
        """
        if self.size == 1:
            return
        sums: list[Any] = [None] * self.size
        with _lost_processes():
            dist.all_gather_object(sums, [*map(_checksum, models)], group=self._patient)
        if any(one != sums[0] for one in sums):
            self.broadcast(*models)
            if self.rank == 0:
                others = ", ".join(str(rank) for rank in range(self.size) if sums[rank] != sums[0])
                message = (
                    f"the weights of ranks {others} were not those of rank 0, whose are taken: "
                    "hosts or devices of different kinds round differently"
                )
                warnings.warn(message, SentirWarning, stacklevel=2)


#: A process that trains on its own.
ALONE = ProcessGroup()
_current = ALONE


def current() -> ProcessGroup:
    """The group that this process has joined; a group of one if it has joined none."""
    return _current


@contextmanager
def agreed_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait for the next `sum_gradients`, where it ends the step of every rank, or for
    `raise_if_interrupted`.

    In a single process nothing is changed.
    """
    if _current.size == 1 or threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupted = _current.interrupted
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupted.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def joined(environment: Mapping[str, str] = os.environ) -> Iterator[ProcessGroup]:
    """Join, for the ``with`` block, the group that torchrun or another launcher has started.

    A group that has been initialised already, by Ray Train for one, is used as it is.

    Args:
        environment: where the launcher has put rank, number and address (RANK, WORLD_SIZE,
            MASTER_ADDR, MASTER_PORT); without them the process is alone.

    Raises:
        UsageError: some of these variables are set, and not all.
        WorkerError: the other processes cannot be reached.
    """
    global _current
    if _current is not ALONE:
        yield _current
        return
    is_ours = not (dist.is_available() and dist.is_initialized())
    if is_ours and not is_launched(environment):
        yield ALONE
        return
    if is_ours:
        _initialise(environment)
    with _lost_processes():
        patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
    _current = ProcessGroup(dist.get_rank(), dist.get_world_size(), _patient=patient)
    try:
        yield _current
        with _lost_processes():
            dist.barrier(patient)  # rank 0 may hold what the others are still connected to
    except (SentirError, KeyboardInterrupt) as error:
        _current.fail(error)
        raise
    finally:
        _current = ALONE
        with suppress(RuntimeError, ValueError):
            dist.destroy_process_group(None if is_ours else patient)


def is_launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a launcher has started several processes, of which this is one.

    Raises:
        UsageError: some of the launcher's variables are set, and not all.
    """
    if int(environment.get("WORLD_SIZE", 1)) == 1:
        return False
    missing = [name for name in _LAUNCHER if name not in environment]
    if missing:
        raise UsageError(
            f"WORLD_SIZE is {environment['WORLD_SIZE']}, and {missing[0]} is not set",
            where="environment",
            todo="start with torchrun; or unset WORLD_SIZE to train in this process alone",
        )
    return True


def _initialise(environment: Mapping[str, str]) -> None:
    has_gpus = torch.cuda.is_available() and dist.is_nccl_available()
    if has_gpus:
        torch.cuda.set_device(int(environment.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    timeout = timedelta(seconds=float(environment.get(TIMEOUT_VARIABLE, STEP_TIMEOUT_S)))
    with _lost_processes():
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_gpus else "gloo", timeout=timeout)


def _checksum(model: nn.Module) -> int:
    """A number that differs, but for chance, if a bit of a weight does."""
    return sum(
        (number + 1) * int(weight.detach().view(torch.int32).sum(dtype=torch.int64))
        for number, weight in enumerate(model.parameters())
    )


@contextmanager
def _lost_processes() -> Iterator[None]:
    """Say in words that a process of the group is gone, which PyTorch says in many ways."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise WorkerError(
            "another process of this training has ended, or cannot be reached "
            f"({str(error).splitlines()[0]})",
            where=f"rank {os.environ.get('RANK', '?')} on {socket.gethostname()}",
            todo="see its message; torchrun starts all of them again with --max-restarts, and "
            "sentir goes on with --resume-if-begun",
        ) from None
