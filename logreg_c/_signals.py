# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C and errors while the command line loads. This module imports nothing that takes time."""

import _signal  # type: ignore[import-not-found] # importing signal takes as long as all the rest
import itertools
import os
import sys

SCRIPTS = "logreg-c", "logreg-c.exe", "logreg-c-script.py"


def _is_command_line() -> bool:
    name = sys.argv[0] if sys.argv else ""
    as_module = name == "-m" and ("-m", "logreg_c") in itertools.pairwise(sys.orig_argv)
    return as_module or os.path.basename(name) in SCRIPTS  # noqa: PTH119 (pathlib takes time)


def end_quietly() -> None:
    """From now on, end without a traceback on Ctrl-C if this process is the command line.

    Loading NumPy takes most of the time before a command can handle Ctrl-C itself. A process that
    only imports the package keeps its own signal handling.
    """
    # The background jobs of a shell ignore Ctrl-C, and continue to do so.
    handler = _signal.getsignal(_signal.SIGINT)
    if _is_command_line() and handler is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda number, _frame: os._exit(128 + number))


def exit_if_command_line(error: Exception) -> None:
    """Exit with one line and code 2, instead of a traceback, if this is the command line."""
    if _is_command_line():
        if sys.stderr is not None:
            print("logreg-c:", error, file=sys.stderr)
        sys.exit(2)
