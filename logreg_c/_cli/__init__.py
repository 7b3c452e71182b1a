# SPDX-License-Identifier: BSD-3-Clause
"""The door to the command line, which is an extra: nothing of it is loaded before `main`."""

import sys

# What each extra brings: a missing module is told from a broken installation by these.
EXTRAS = {
    "typer": "cli",
    "rich": "cli",
    "polars": "cli",
    "jinja2": "report",
    "matplotlib": "report",
    "onnx": "onnx",
    "scipy": "cli",
}


def main() -> None:
    """Run the command line, or say in one line how to install what it lacks."""
    try:
        from .app import app  # noqa: PLC0415 (that is what lazily means)

        app(prog_name="logreg-c")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        print(
            f"logreg-c: this needs {missing}: pip install 'logreg-c[{EXTRAS[missing]}]'",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:  # while modules are loaded; later it is caught where it is due
        sys.exit(130)
