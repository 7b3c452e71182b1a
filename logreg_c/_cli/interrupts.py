# SPDX-License-Identifier: BSD-3-Clause
"""Signals that stop a process: it ends at once, but for its temporary files.

An exception would be Python's way. But one that is raised while a module loads, or in what polars
calls back, ends in a panic, or in nothing.
"""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

MESSAGE = "interrupted; no file was written"
STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Interrupts:
    """What a process does when it is stopped."""

    def __init__(self) -> None:
        self._temporary: set[str] = set()
        self._raising = False
        self._number: int = signal.SIGINT
        self.message = MESSAGE
        self.stderr = 2

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self._number = number
        if self._raising:
            self._raising = False  # a second one does not wait
            raise KeyboardInterrupt
        for path in list(self._temporary):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (no object is to be made here)
        with suppress(OSError):
            os.write(self.stderr, f"logreg-c: {self.message}\n".encode())
        os._exit(self.code)

    @property
    def code(self) -> int:
        """The exit code that a shell gives to a process that the signal ends."""
        return 128 + self._number

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals, but those that somebody else handles, or wants ignored."""
        before: dict[int, Any] = {}
        self.message = MESSAGE
        try:
            if threading.current_thread() is threading.main_thread():
                for number in STOPPING:
                    if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                        before[number] = signal.signal(number, self)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise KeyboardInterrupt within, for what has more to save than temporary files."""
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    @contextmanager
    def removing(self, path: str) -> Iterator[None]:
        """Remove a file or folder if the process is stopped within."""
        self._temporary.add(path)
        try:
            yield
        finally:
            self._temporary.discard(path)


INTERRUPTS = Interrupts()
