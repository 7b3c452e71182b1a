# SPDX-License-Identifier: BSD-3-Clause
"""The door to the command line, which is an extra: nothing of it is loaded before `main`."""

import sys

from .interrupts import INTERRUPTS


def main() -> None:
    """Run the command line: whatever happens ends in an exit code and at most one line."""
    with INTERRUPTS.handled():
        from . import errors  # noqa: PLC0415 (that is what lazily means)

        with errors.ending() as ended:
            from .app import run  # noqa: PLC0415

            ended.code = run(sys.argv[1:])
    sys.exit(ended.code)
