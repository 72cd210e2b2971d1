"""What comes through a pipe, parted where it pauses, so that a writer that waits gets answers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def bursts(items: Iterable[T], ahead: int) -> Iterator[Iterator[T]]:
    """The items in bursts: one ends where the next item has not come yet.

    A thread takes the items, so that waiting for one holds nothing up. Each burst must be used up
    before the next. An error of `items` is raised where it comes.

    Args:
        items: they are read in another thread.
        ahead: number of items that are read ahead at most.
    """
    arrived: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(ahead)
    is_closed = is_ended = False

    def read() -> None:
        try:
            for item in items:
                arrived.put((item,))
                if is_closed:
                    return
            arrived.put(None)
        except BaseException as error:  # raised again in the thread that waits for the items
            arrived.put(error)

    def burst(entry: tuple[T] | BaseException | None) -> Iterator[T]:
        nonlocal is_ended
        while isinstance(entry, tuple):
            yield entry[0]
            try:
                entry = arrived.get_nowait()
            except queue.Empty:
                return
        is_ended = True
        if entry is not None:
            raise entry

    # The interpreter does not wait for it: it may be in a read that never ends.
    threading.Thread(target=read, name="sentir reads ahead", daemon=True).start()
    try:
        while not is_ended:
            yield burst(arrived.get())
    finally:
        is_closed = True
        while not arrived.empty():  # let the thread see that nobody takes more
            arrived.get_nowait()
