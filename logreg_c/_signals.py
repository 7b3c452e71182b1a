# SPDX-License-Identifier: BSD-3-Clause
"""What ends the command line from outside: Ctrl-C and the signals by which a process is stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
IMPATIENT_SECONDS = 2.0


def end_quietly() -> None:
    """End by Ctrl-C without a traceback from now on, if this process is the command line.

    Loading NumPy takes most of the time in which nothing else could be interrupted. Within a
    command `as_interrupts` replaces this.
    """
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else ""  # noqa: PTH119 (pathlib is slow to load)
    as_module = name == "-m" and "logreg_c" in sys.orig_argv
    if (as_module or name.startswith("logreg-c")) and _is_default(signal.SIGINT):
        signal.signal(signal.SIGINT, lambda number, _frame: os._exit(128 + number))


def _is_default(number: int) -> bool:
    """Whether nobody has asked for something else: a shell's background jobs ignore Ctrl-C."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(number) in {
        signal.SIG_DFL,
        signal.default_int_handler,
    }


class Interrupts:
    """The signal that has come, if any."""

    def __init__(self) -> None:
        self.number: int = signal.SIGINT
        self._came: float | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, once: what follows at once must not stop the cleaning up."""
        now = time.monotonic()
        if self._came is None:
            self.number, self._came = number, now
            raise KeyboardInterrupt
        if now - self._came > IMPATIENT_SECONDS:
            os._exit(128 + number)

    @property
    def came(self) -> bool:
        """Whether a signal has come."""
        return self._came is not None


@contextmanager
def as_interrupts() -> Iterator[Interrupts]:
    """Raise KeyboardInterrupt for each of STOPPING, so that temporary files are removed."""
    interrupts, before = Interrupts(), {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    before[number] = signal.signal(number, interrupts)
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
