# SPDX-License-Identifier: BSD-3-Clause
"""Output files that are written completely or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from logreg_c import _files

from .errors import refuse, visible
from .interrupts import INTERRUPTS


def check_output(path: Path, *read: Path) -> None:
    """Refuse to replace a file that the command reads, and to write to standard output."""
    if str(path) == "-":
        refuse("--output cannot be standard output for this command; give a file name")
    if any(os.path.realpath(path) == os.path.realpath(other) for other in read):
        refuse(f"{path} is an input of this command and would be replaced; choose another --output")


@contextmanager
def written_whole(path: Path, *, rehearse: bool = False) -> Iterator[BinaryIO]:
    """Write a file completely or not at all; refuse a path that cannot be written.

    A rehearsal detects such a path before an hour of training rather than after it.
    """
    try:
        if path.exists() and not path.is_file():
            refuse(f"{path} is not a file that can be replaced; choose another --output")
        with (
            _files.written_whole(path, rehearse=rehearse) as file,
            INTERRUPTS.removing(file.name),
        ):
            yield file
        if not rehearse:
            INTERRUPTS.message = f"interrupted; {visible(str(path))} is written"
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")
