# SPDX-License-Identifier: BSD-3-Clause
"""The entry point of the command line. It is an extra, so nothing is loaded before `main`."""

import gc
import sys

from .interrupts import INTERRUPTS

COLLECTED_AT = 1_000_000  # objects; a wide table makes that many, of which none is garbage


def main() -> None:
    """Run the command line; every outcome is an exit code and at most one line."""
    gc.set_threshold(COLLECTED_AT)
    with INTERRUPTS.handled():
        from . import errors  # noqa: PLC0415 (loaded only by the command line)

        with errors.ending() as ended:
            from .app import run  # noqa: PLC0415

            ended.code = run(sys.argv[1:])
    gc.freeze()  # or the interpreter would look at every object once more before it ends
    sys.exit(ended.code)
