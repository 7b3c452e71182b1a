# SPDX-License-Identifier: BSD-3-Clause
"""`pytest docs` runs every example on the pages, from top to bottom, and compares its output."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

CLONE = Path(__file__).resolve().parent.parent

# In the clone's root, logreg_c is the source folder without a compiled kernel.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != CLONE]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONSAFEPATH": "1",
    "TERM": "dumb",
}


def run_console(example: Example) -> str | None:
    """Run the lines that begin with $, and compare all output with the text below each."""
    for session in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = session.partition("\n")
        ended = subprocess.run(  # noqa: S603
            ["bash", "-c", command],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
        shown = "\n".join(map(str.rstrip, (ended.stdout + ended.stderr).splitlines()))
        if shown.strip() != expected.strip():
            return f"{shlex.quote(command)} printed\n{shown}\nbut the page shows\n{expected}"
    return None


def run_script(example: Example) -> None:
    """Run a block of `bash`; every command has to succeed."""
    command = ["bash", "-euc", example.parsed]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)  # noqa: S603


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give each page a working directory of its own, with the example data in it."""
    place = tmp_path_factory.mktemp("page")
    (place / "examples").symlink_to(CLONE / "examples")
    before = Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS),
        CodeBlockParser("console", run_console),
        CodeBlockParser("bash", run_script),
    ],
    pattern="*.md",
    fixtures=["folder"],
).pytest()
