# SPDX-License-Identifier: BSD-3-Clause
"""The door to the command line, which is an extra: nothing of it is loaded before `main`."""

import sys


def main() -> None:
    """Run the command line, or say in one line how to install it."""
    try:
        from ._commands import app  # noqa: PLC0415 (that is what lazily means)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"typer", "rich", "polars"}:
            raise
        print(
            f"logreg-c: the command line needs {missing}: pip install 'logreg-c[cli]'",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    app(prog_name="logreg-c")
