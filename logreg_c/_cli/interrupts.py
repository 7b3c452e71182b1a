# SPDX-License-Identifier: BSD-3-Clause
"""Signals that stop the process: it removes its temporary files and exits at once.

Raising an exception would be the usual way in Python. But an exception raised while a module loads,
or in a callback of polars, causes a panic or is lost.
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
    """How the process reacts to signals that stop it."""

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
            self._raising = False  # a second signal exits at once
            raise KeyboardInterrupt
        for path in list(self._temporary):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (creates no objects in a signal handler)
        with suppress(OSError):
            os.write(self.stderr, f"logreg-c: {self.message}\n".encode())
        os._exit(self.code)

    @property
    def code(self) -> int:
        """The exit code that a shell reports for a process killed by the signal."""
        return 128 + self._number

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals, except those that are ignored or have a foreign handler."""
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
        """Raise KeyboardInterrupt on a signal, so that the block can save its work."""
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    @contextmanager
    def removing(self, path: str) -> Iterator[None]:
        """Remove a file or folder if a signal stops the process in the block."""
        self._temporary.add(path)
        try:
            yield
        finally:
            self._temporary.discard(path)


INTERRUPTS = Interrupts()
