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


def ahead(read: Callable[[], Iterator[T]]) -> Iterator[tuple[T, bool]]:
    """Yield what ``read()`` yields, and whether it was waited for. A thread of its own reads.

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
    try:
        while True:
            is_late = ready.empty()
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value  # type: ignore[misc]
            yield value, is_late  # type: ignore[misc]
            del value
    finally:
        is_over.set()
        while thread.is_alive():  # it may be waiting for room
            try:
                ready.get(timeout=0.01)
            except queue.Empty:
                continue
