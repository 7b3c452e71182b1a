# SPDX-License-Identifier: BSD-3-Clause
"""The format of a file, and the path from which its bytes are read."""

import glob
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logreg_c._cli.errors import refuse
from logreg_c._cli.interrupts import INTERRUPTS
from logreg_c._cli.recipes import DETECTED, Dialect

SUFFIXES = {
    ".parquet": "Parquet",
    ".arrow": "Arrow",
    ".feather": "Arrow",
    ".ipc": "Arrow",
    ".arrows": "Arrow stream",
    ".npy": "NPY",
    ".npz": "NPZ",
}
# The first bytes of such files: standard input has no name, and names may be wrong.
MAGIC = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow stream",
    b"\x93NUMPY": "NPY",
    b"PK\x03\x04": "NPZ",
}
# Formats that may hold a table but that logreg-c does not read.
FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"SQLite format 3": "a SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"%PDF": "a PDF document",
    b"FEA1": "a Feather file of version 1",
    b"RDX": "an R workspace",
    b"<!DOCTYPE": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML document",
    b'[{"': "JSON",
    b'{"': "JSON",
    b"<stata_dta>": "a Stata file",
    b"$FL": "an SPSS file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"PK\x05\x06": "an empty zip archive",
}
# A file may expand to this many times its size, plus this many bytes: tables compress 3 to 20
# times, sparse ones up to 100 times.
MOST_EXPANSION = 100
ALWAYS_ALLOWED = 1 << 26


@dataclass(frozen=True)
class Source:
    """A file that can be read more than once."""

    name: str  # for messages
    path: Path
    kind: str
    size: int  # in bytes, when it was opened
    dialect: Dialect = DETECTED
    files: tuple["Source", ...] = ()  # of a folder or a pattern

    @property
    def parts(self) -> tuple["Source", ...]:
        """The files, in order: one, or those of a folder or a pattern."""
        return self.files or (self,)

    def __str__(self) -> str:
        return self.name

    def check_expansion(self, size: int, *, allowed: int = ALWAYS_ALLOWED) -> None:
        """Refuse a file that expands to far more bytes than it has."""
        if size > MOST_EXPANSION * self.size + allowed:
            refuse(
                f"{self} has {self.size} bytes and expands to more than {MOST_EXPANSION} times as"
                " much; if that is intended, write it without compression"
            )


@contextmanager
def opened(file: Path, dialect: Dialect = DETECTED) -> Iterator[Source]:
    """Detect the format of `file`; standard input (-) and pipes are copied to a temporary file."""
    name, path = os.fsencode(file).decode(errors="backslashreplace"), file
    with ExitStack() as stack:
        try:
            if name == "-":
                name = "standard input"
                if sys.stdin is None:
                    refuse("standard input is closed; give a file")
                path = _copied(stack, sys.stdin.buffer)
            elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", name) and not file.exists():
                refuse(f"{name} is a URL; download the file and give its path")
            else:
                path = _regular(stack, file, name)
            with path.open("rb") as content:
                head = content.read(16)
            size = path.stat().st_size
        except FileNotFoundError:
            found = [] if file.exists() else files_of(file)
            hint = "check the name and the folder"
            if found not in ([], [file]):
                hint = f"as a pattern it matches {len(found)} files, which --stream reads"
            refuse(f"{name} does not exist; {hint}")
        except OSError as error:
            refuse(f"{name} cannot be read: {error.strerror or error}")
        if size == 0:
            refuse(f"{name} is empty; expected a header and rows of data")
        for magic, what in FOREIGN.items():
            if head.startswith(magic):
                refuse(f"{name} is {what}; save the table as CSV or Parquet")
        kinds = [kind for magic, kind in MAGIC.items() if head.startswith(magic)]
        kind = kinds[0] if kinds else SUFFIXES.get(file.suffix.lower(), "CSV")
        yield Source(name, path, kind, size, dialect)


@contextmanager
def opened_all(file: Path, dialect: Dialect = DETECTED) -> Iterator[Source]:
    """Open a file, all files in a folder and its subfolders, or all that a pattern matches."""
    paths = files_of(file)
    with ExitStack() as stack:
        if paths == [file]:
            yield stack.enter_context(opened(file, dialect))
            return
        if not paths:
            refuse(f"{file} has no files; check the name and the folder")
        parts = tuple(stack.enter_context(opened(path, dialect)) for path in paths)
        kinds = sorted({part.kind for part in parts})
        if len(kinds) > 1:
            refuse(f"{file} has files of the formats {', '.join(kinds)}; give files of one format")
        size = sum(part.size for part in parts)
        yield Source(str(file), parts[0].path, kinds[0], size, dialect, parts)


def files_of(file: Path) -> list[Path]:
    """Return the files of a folder or a pattern in the order of their names, or the file alone."""
    try:
        is_folder, exists = file.is_dir(), file.exists()
    except OSError:  # opening it will tell
        return [file]
    if is_folder:
        found = [path for path in file.rglob("*") if not path.name.startswith((".", "_"))]
    elif glob.has_magic(str(file)) and not exists:
        found = [Path(name) for name in glob.glob(str(file), recursive=True)]
    else:
        return [file]
    return sorted(path for path in found if path.is_file())


def _regular(stack: ExitStack, file: Path, name: str) -> Path:
    """Return the path of a regular file with the same content, encodable for polars."""
    mode = file.stat().st_mode
    if stat.S_ISDIR(mode):
        refuse(f"{name} is a directory; give one file in it, or --stream, which reads all")
    if stat.S_ISFIFO(mode):
        return _copied(stack, stack.enter_context(file.open("rb")))
    if not stat.S_ISREG(mode):
        refuse(f"{name} is a device or a socket; give a file")
    try:
        str(file).encode()
    except UnicodeEncodeError:
        place = _folder(stack) / "link"
        place.symlink_to(file.absolute())
        return place
    return file


def _copied(stack: ExitStack, stream: Any) -> Path:
    path = _folder(stack) / "copy"
    with path.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
    return path


def _folder(stack: ExitStack) -> Path:
    # Windows does not delete files that are still open, and polars may keep one open.
    folder = tempfile.TemporaryDirectory(prefix="logreg-c-", ignore_cleanup_errors=True)
    stack.enter_context(INTERRUPTS.removing(folder.name))
    return Path(stack.enter_context(folder))
