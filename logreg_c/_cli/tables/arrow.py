# SPDX-License-Identifier: BSD-3-Clause
"""Arrow IPC: checks of a file before its buffers are decompressed.

A compressed buffer starts with its decompressed length, and a reader allocates that much. In a
damaged file it can be any number, and polars, like other programs in Rust, aborts if the
allocation fails. So the lengths are checked first. The metadata are flatbuffers. The few fields
that matter are read by their position in Arrow's schemas (Message.fbs, Schema.fbs, File.fbs).
"""

import itertools
import json
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from .source import Source

SCHEMA, DICTIONARY_BATCH, RECORD_BATCH = 1, 2, 3
CONTINUATION = b"\xff\xff\xff\xff"


class Table:
    """A table of a flatbuffer, with fields by their number in the schema."""

    def __init__(self, buffer: bytes, at: int) -> None:
        self.buffer, self.at = buffer, at
        self.fields = at - self._read("<i", at)

    def _read(self, kind: str, at: int) -> int:
        if at < 0:
            message = "an offset points before the metadata"
            raise ValueError(message)
        value: int = struct.unpack_from(kind, self.buffer, at)[0]
        return value

    def _place(self, field: int) -> int | None:
        offset = 4 + 2 * field
        if offset >= self._read("<H", self.fields):
            return None
        start = self._read("<H", self.fields + offset)
        return self.at + start if start else None

    def scalar(self, field: int, kind: str) -> int:
        """Return a number, or 0 if the field is absent."""
        place = self._place(field)
        return 0 if place is None else self._read(kind, place)

    def table(self, field: int) -> "Table | None":
        """Return a nested table."""
        place = self._place(field)
        return None if place is None else Table(self.buffer, place + self._read("<I", place))

    def vector(self, field: int) -> tuple[int, int]:
        """Return the start of a vector and its number of elements."""
        place = self._place(field)
        if place is None:
            return 0, 0
        place += self._read("<I", place)
        return place + 4, self._read("<I", place)

    def tables(self, field: int) -> Iterator["Table"]:
        """Yield the tables of a vector."""
        start, length = self.vector(field)
        for at in range(start, start + 4 * length, 4):
            yield Table(self.buffer, at + self._read("<I", at))

    def text(self, field: int) -> str:
        """Return a string."""
        start, length = self.vector(field)
        return self.buffer[start : start + length].decode()


def check(source: Source) -> list[str]:
    """Refuse impossible lengths; return the columns that pandas wrote as an index."""
    index: list[str] = []
    size, expanded = source.size, 0
    with source.path.open("rb") as file:
        messages = _blocks(file, size) if source.kind == "Arrow" else _messages(file, size)
        for kind, header, body, length in messages:
            if not 0 <= length <= size - body:
                problem = "a message is longer than the file"
                raise ValueError(problem)
            if kind == SCHEMA:
                index = _index(header)
            batch = header.table(1) if kind == DICTIONARY_BATCH else header
            if kind in {DICTIONARY_BATCH, RECORD_BATCH} and batch is not None:
                expanded += _expanded(batch, file, body, length)
                source.check_expansion(expanded)
            file.seek(body + length)
    return index


def _messages(file: BinaryIO, size: int) -> Iterator[tuple[int, Table, int, int]]:
    """Yield each message's kind, header, and the position and length of its body."""
    while (message := _message(file, size)) is not None:
        header = message.table(2)
        if header is not None:
            yield message.scalar(1, "<B"), header, file.tell(), message.scalar(3, "<q")


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, Table, int, int]]:
    """Yield the same for the blocks listed in the footer of a file."""
    file.seek(max(0, size - 10))
    length = int.from_bytes(file.read(4), "little")
    if file.read(6) != b"ARROW1" or length > size - 10:
        problem = "it has no footer"
        raise ValueError(problem)
    file.seek(size - 10 - length)
    footer = _root(file.read(length))
    schema = footer.table(1)
    if schema is not None:
        yield SCHEMA, schema, 0, 0
    for field in (2, 3):
        start, blocks = footer.vector(field)
        for at in range(start, start + 24 * blocks, 24):
            offset = struct.unpack_from("<q", footer.buffer, at)[0]
            if not 0 <= offset <= size:
                problem = "its footer points outside of the file"
                raise ValueError(problem)
            file.seek(offset)
            yield from itertools.islice(_messages(file, size), 1)


def _root(buffer: bytes) -> Table:
    return Table(buffer, int.from_bytes(buffer[:4], "little"))


def _message(file: BinaryIO, size: int) -> Table | None:
    start = file.read(4)
    if start == CONTINUATION:
        start = file.read(4)
    if len(start) < 4 or start == bytes(4):
        return None
    length = int.from_bytes(start, "little")
    if length > size - file.tell():
        problem = "its metadata are longer than the file"
        raise ValueError(problem)
    return _root(file.read(length))


def _expanded(batch: Table, file: BinaryIO, body: int, length: int) -> int:
    """Return the decompressed size of a record batch's buffers, in bytes."""
    if batch.table(3) is None:  # not compressed
        return length
    size = 0
    start, buffers = batch.vector(2)
    for at in range(start, start + 16 * buffers, 16):
        offset, stored = struct.unpack_from("<qq", batch.buffer, at)
        if stored == 0:
            continue
        if offset < 0 or stored < 8 or offset + stored > length:
            problem = "a buffer lies outside of its message"
            raise ValueError(problem)
        file.seek(body + offset)
        own = int.from_bytes(file.read(8), "little", signed=True)
        if own < -1:
            problem = "a buffer has a negative length"
            raise ValueError(problem)
        size += stored if own == -1 else own
    return size


def _index(schema: Table) -> list[str]:
    for pair in schema.tables(2):
        if pair.text(0) == "pandas":
            return index_columns(pair.text(1))
    return []


def index_columns(metadata: str) -> list[str]:
    """Return the stored columns that pandas' metadata name as the index."""
    try:
        known: Any = json.loads(metadata)
        return [name for name in known["index_columns"] if isinstance(name, str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
