# SPDX-License-Identifier: BSD-3-Clause
"""A thread that reads ahead."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# Items that wait; the thread holds one more.
WAITING = 2
# Items after one that was waited for that count as late as well: they may be of the same batch.
LATE = 8


def ahead(read: Callable[[], Iterator[T]]) -> Iterator[tuple[T, bool]]:
    """Yield what ``read()`` yields, and whether reading is what takes time. A thread reads.

    What the thread raises is raised here. It ends with this iterator.
    """
    ready: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(WAITING)
    is_over = threading.Event()

    def work() -> None:
        try:
            for item in read():
                ready.put(("item", item))
                if is_over.is_set():
                    return
            ready.put(("end", None))
        except BaseException as error:  # noqa: BLE001 (whatever it is, the caller's thread raises it)
            ready.put(("error", error))

    thread = threading.Thread(target=work, name="logreg-c reads ahead", daemon=True)
    thread.start()
    late = 0
    try:
        while True:
            late = LATE if ready.empty() else late - 1
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value  # type: ignore[misc]
            yield value, late > 0  # type: ignore[misc]
            del value
    finally:
        is_over.set()
        while thread.is_alive():  # it may be waiting for room
            try:
                ready.get(timeout=0.01)
            except queue.Empty:
                continue
