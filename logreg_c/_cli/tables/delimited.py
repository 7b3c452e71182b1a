# SPDX-License-Identifier: BSD-3-Clause
"""CSV: the dialect of a file, its header, and its rows, a few megabytes at a time."""

import codecs
import csv
import gzip
import io
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import InputError, brief, refuse, say

from .source import Source

CHUNK = 8 << 20  # bytes parsed at a time
SAMPLE = 1 << 20  # bytes from which the dialect is detected
SAMPLED = 100  # rows from which the separator is detected
LONGEST_ROW = 64 << 20  # bytes
SEPARATORS = ",;\t|"
# Missing values as pandas, polars, R and people write them, without spaces.
MISSING = frozenset(
    [
        "",
        "NA",
        "N/A",
        "n/a",
        "<NA>",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "na",
        "NaN",
        "nan",
        "NAN",
        "-nan",
        "-NaN",
        "NULL",
        "Null",
        "null",
        "None",
        "none",
        "NONE",
        "nil",
        "?",
        "-",
        "--",
        ".",
        "...",
        "1.#IND",
        "-1.#IND",
        "1.#QNAN",
        "-1.#QNAN",
        "#NULL!",
        "#VALUE!",
        "#DIV/0!",
        "#REF!",
        "#NUM!",
        "#NAME?",
        "NaT",
        "n.a.",
        "N.A.",
        "Na",
        "N/a",
        "NIL",
        "Nil",
        "(null)",
        "<null>",
        "\\N",
        "..",
        "*",
        "-nan(ind)",
        "-NaN(ind)",
    ]
)
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
DECIMAL_POINT = re.compile(r"\s*[+-]?\d+\.\d+\s*")
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")  # may also be a decimal comma
END_OF_FILE = b"\x1a\0"  # at the end of files by programs from the days of DOS
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
COMMON_ENCODING = "cp1252"
# The internal name of a column without one; no header can contain it.
NAMELESS = "\0"


class EncodingError(InputError):
    """A CSV file in another encoding."""

    def __init__(self, source: Source, row: int | None) -> None:
        where = "" if row is None else f", as in row {row}"
        self.what = (
            f"cannot be read as CSV (not UTF-8 text{where}); give --encoding {COMMON_ENCODING} for"
            " Western Europe on Windows, or another, or save it as UTF-8"
        )
        super().__init__(f"{source} {self.what}")


class Delimited:
    """A CSV file: the names of its columns, and its rows as text."""

    def __init__(self, source: Source) -> None:
        self.source, self._warned = source, False
        blocks, start = _blocks(source), bytearray()
        for block in blocks:
            start += block
            if len(start) > LONGEST_ROW or (len(start) > SAMPLE and start.count(b"\n") > 1):
                break
        blocks.close()
        self._carriage_returns = b"\r" in start and b"\n" not in start
        skipped = 3 if start.startswith(b"\xef\xbb\xbf") else 0
        # Bytes that are not UTF-8 survive this, and are reported later with their row.
        size = SAMPLE if start.count(b"\n", 0, SAMPLE) > 1 else len(start)  # very wide rows
        text = start[skipped:size].decode(errors="surrogateescape")
        lines = list(io.StringIO(text, newline=""))
        if len(start) > SAMPLE and len(lines) > 1:
            lines.pop()  # the sample may have cut it off
        at = self._sniff(lines)
        self._start = skipped + len("".join(lines[:at]).encode(errors="surrogateescape"))

    def _sniff(self, lines: Sequence[str]) -> int:
        """Detect the separator, the decimal mark and the names; return the first line of rows."""
        at, comment, separator = 0, "", None
        while at < len(lines):
            line = lines[at].strip()
            if match := re.fullmatch(r'"?sep=([,;\t|])"?\s*', lines[at], re.IGNORECASE):
                separator = match[1]
            elif line.startswith("#"):
                comment = line.lstrip("# \t")
            elif line.strip(SEPARATORS + " \t"):
                break
            at += 1
        if at == len(lines):
            refuse(f"{self.source} is empty; expected a header and rows of data")
        self.separator = self.source.dialect.separator or separator or _separator(lines[at:])
        header_is_comment = comment and _is_header(comment, lines[at : at + 1], self.separator)
        records = _records(
            [comment, *lines[at:]] if header_is_comment else lines[at:], self.separator
        )
        names = [name.strip() for name in next(records)]
        if all(len(name) > 2 and name[0] == name[-1] == "'" for name in names):
            names = [name[1:-1] for name in names]
        at += int(records.line_num) - bool(header_is_comment)
        rows = [row for row in itertools.islice(records, SAMPLED) if any(map(str.strip, row))]
        self._spaced_quote = re.compile(re.escape(self.separator.encode()) + rb' +"')
        self._check_header(names)
        self.names, self.repeated = _unique(
            [name or f"{NAMELESS}{j}" for j, name in enumerate(_fitted(names, rows))]
        )
        decimal = self.source.dialect.decimal
        self._decimal_comma = decimal == "," if decimal else self._has_decimal_commas(lines[at:])
        return at

    def _check_header(self, names: Sequence[str]) -> None:
        text = "".join(names)
        if "\0" in text or re.search("[\udc80-\udcff]", text):
            _not_utf8(self.source)
        if all(map(NUMBER.fullmatch, names)) and names != list(map(str, range(len(names)))):
            refuse(
                f"{self.source} seems to have no header: its first line is numbers"
                f" ({', '.join(map(brief, names[:3]))}{' ...' if len(names) > 3 else ''}); add a"
                " header with the names of the columns"
            )

    def _has_decimal_commas(self, lines: Sequence[str]) -> bool:
        pattern = r'"\s*[+-]?\d+,\d+\s*"' if self.separator == "," else r"\d,\d"
        if not any(re.search(pattern, line) for line in lines):
            return False
        cells = list(itertools.chain.from_iterable(_records(lines, self.separator)))
        commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
        points = sum(DECIMAL_POINT.fullmatch(cell) is not None for cell in cells)
        return len(commas) > points and not all(map(THOUSANDS.fullmatch, commas))

    # ---- Rows ----------------------------------------------------------------------------------

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows, all columns as text; rows without any value do not count."""
        rows = pending = skipped = first = 0
        for buffer in self._buffers():
            if buffer.isspace():
                pending += buffer.count(b"\n")
                continue
            raw = self._parsed(buffer, rows)
            blank = _blank(raw)
            filled = np.flatnonzero(~blank)
            end = int(filled[-1]) + 1 if len(filled) else 0
            if end:
                if not skipped:
                    first = rows + (0 if pending else int(np.argmax(blank)))
                skipped += pending + end - len(filled)
                pending = 0
            pending += raw.height - end
            rows += len(filled)
            if len(filled):
                yield raw.filter(~blank) if len(filled) < raw.height else raw
        if skipped and not self._warned:
            self._warned = True
            say(
                f"warning: skipped {skipped} blank row{'s' * (skipped > 1)} in {self.source},"
                f" the first after row {first}"
            )
        if not rows:
            refuse(f"{self.source} has no rows of data")

    def _buffers(self) -> Iterator[bytes]:
        """Yield the bytes after the header, in whole rows."""
        skip, carried = self._start, b""
        for block in _blocks(self.source):
            body = block[skip:]
            skip = max(0, skip - len(block))
            if self._carriage_returns:
                body = body.replace(b"\r", b"\n")
            buffer = carried + body
            end = _end_of_rows(buffer)
            carried = buffer[end:]
            if len(carried) > LONGEST_ROW:
                refuse(
                    f"{self.source} has a row of more than {LONGEST_ROW >> 20} MB; is a quotation"
                    " mark not closed, or is this not CSV?"
                )
            if end:
                yield buffer[:end]
        if carried := carried.rstrip(END_OF_FILE):
            yield carried

    def _parsed(self, buffer: bytes, rows: int) -> pl.DataFrame:
        schema = dict.fromkeys(self.names, pl.String)
        # polars treats every single space as a separator, and quotation marks after spaces as text.
        spaced_quote = b'"' in buffer and self._spaced_quote.search(buffer)
        if spaced_quote or self.separator == " ":
            return pl.DataFrame(self._parsed_slowly(buffer, rows), schema=schema, orient="row")
        if (short := self._short(buffer)) is not None:
            return short
        try:
            return pl.read_csv(
                buffer, has_header=False, schema=schema, separator=self.separator, glob=False
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            # Rows of different lengths, or quotation marks in unusual places: the slower parser of
            # the standard library reads them, or locates the fault.
            return pl.DataFrame(self._parsed_slowly(buffer, rows), schema=schema, orient="row")

    def _short(self, buffer: bytes) -> pl.DataFrame | None:
        """Return rows with more columns than there are rows, if they are simple, or None."""
        # polars takes several times as long for thousands of columns as for that many rows.
        width = len(self.names)
        if buffer.count(b"\n") >= width or b'"' in buffer:
            return None
        try:
            text = buffer.decode().replace("\r\n", "\n").removesuffix("\n")
        except UnicodeDecodeError:
            return None
        rows = [row.split(self.separator) for row in text.split("\n")]
        if "\r" in text or any(len(row) != width for row in rows):
            return None
        turned = pl.DataFrame(rows, schema=[f"{k}" for k in range(len(rows))], orient="col")
        filled = turned.with_columns(pl.when(pl.all() != "").then(pl.all()))
        return filled.transpose(column_names=self.names)

    def _parsed_slowly(self, buffer: bytes, rows: int) -> list[list[str]]:
        try:
            text = buffer.decode()
        except UnicodeDecodeError as error:
            _not_utf8(self.source, rows + buffer.count(b"\n", 0, error.start) + 1)
        try:
            found = list(_records(io.StringIO(text, newline=""), self.separator, strict=True))
        except csv.Error as error:
            if "end of data" in str(error):
                refuse(
                    f"{self.source} cannot be read as CSV (a quotation mark is not closed); close"
                    " it, or remove it"
                )
            found = list(_records(io.StringIO(text, newline=""), self.separator))
        width = len(self.names)
        for k, record in enumerate(found):
            if len(record) > width and any(map(str.strip, record[width:])):
                row = rows + 1 + sum(any(map(str.strip, before)) for before in found[:k])
                refuse(
                    f"{self.source} cannot be read as CSV (row {row} has {len(record)} values for"
                    f" {width} columns); quote values that contain {brief(self.separator)}, or"
                    " remove the extra values"
                )
        return [record[:width] + [""] * (width - len(record)) for record in found]

    # ---- Types ---------------------------------------------------------------------------------

    def typed(self, raw: pl.DataFrame, wanted_as_text: Mapping[str, Iterable[str]]) -> pl.DataFrame:
        """Return numbers as Float64, true/false as Boolean, and text without surrounding spaces.

        `wanted_as_text` names columns that stay text, each with values that are never treated as
        missing.
        """
        numbers = self._as_numbers(raw)
        nulls = zip(raw.null_count().row(0), numbers.null_count().row(0), strict=True)
        others = []
        for name, (before, after) in zip(raw.columns, nulls, strict=True):
            if name in wanted_as_text:
                others.append(self._without_missing(raw.get_column(name), wanted_as_text[name]))
            elif before != after:
                others.append(self._typed_column(unnamed(raw.get_column(name))).alias(name))
        return numbers.with_columns(others) if others else numbers

    def _as_numbers(self, raw: pl.DataFrame) -> pl.DataFrame:
        texts = with_points(raw) if self._decimal_comma else raw
        if texts.width <= texts.height:
            return texts.cast(pl.Float64, strict=False)
        # Few long columns take less time than many short ones.
        turned = texts.transpose().cast(pl.Float64, strict=False)
        return turned.transpose(column_names=texts.columns)

    def _typed_column(self, values: pl.Series) -> pl.Series:
        values = self._without_missing(values)
        numbers = self._as_numbers(values.to_frame()).to_series()
        if numbers.null_count() == values.null_count():
            return numbers
        lower = values.str.to_lowercase()
        if lower.drop_nulls().is_in(["true", "false"]).all():
            return lower == "true"
        return values

    def _without_missing(self, values: pl.Series, kept: Iterable[str] = ()) -> pl.Series:
        missing = [*MISSING.difference(kept), *self.source.dialect.na_values]
        cleaned = pl.first().str.strip_chars().replace(missing, [None] * len(missing))
        return values.to_frame().select(cleaned).to_series()


def unnamed(values: pl.Series) -> pl.Series:
    """Return a column without its name, in which polars' methods find a pattern if it is ^...$."""
    return values.alias("")


def with_points(texts: pl.DataFrame) -> pl.DataFrame:
    """Turn decimal commas into points, and points (perhaps thousands separators) into faults."""
    values = pl.all().str.replace_all(".", "_", literal=True)
    return texts.select(values.str.replace(",", ".", literal=True))


# ---- Bytes ---------------------------------------------------------------------------------------


def _blocks(source: Source) -> Generator[bytes, None, None]:
    """Yield the bytes of the file, decompressed, as UTF-8."""
    blocks = _decompressed(source)
    first = next(blocks, b"")
    encoding = next((code for mark, code in MARKS.items() if first.startswith(mark)), None)
    encoding = encoding or source.dialect.encoding
    if encoding is None or codecs.lookup(encoding).name == "utf-8":
        yield first
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in itertools.chain([first], blocks):
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        refuse(
            f"{source} cannot be read as CSV (not {encoding} text: {brief(str(error))}); give"
            " another --encoding, or save it as UTF-8"
        )


def _decompressed(source: Source) -> Generator[bytes, None, None]:
    with source.path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            source.check_expansion(_zstd_size(file))
            blocks = _zstd_lines(source)
        elif head.startswith(b"\x1f\x8b"):
            blocks = _read(gzip.GzipFile(fileobj=file))
        elif head[:2] in {b"\x78\x01", b"\x78\x9c", b"\x78\xda"}:
            blocks = _inflated(file)
        else:
            size = 0
            for block in _read(file):
                size += len(block)
                yield block
            if size < source.size:
                refuse(f"{source} became shorter while it was read; try again once it is complete")
            return
        size = 0
        try:
            for block in blocks:
                size += len(block)
                source.check_expansion(size)
                yield block
        except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
            refuse(f"{source} cannot be decompressed ({brief(str(error))}); write it again")


def _read(file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while block := file.read(CHUNK):
        yield block


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    while block := inflate.unconsumed_tail or file.read(CHUNK):
        yield inflate.decompress(block, CHUNK)
    if not inflate.eof:
        message = "it ends too early"
        raise EOFError(message)


def _zstd_lines(source: Source) -> Iterator[bytes]:
    # Python has Zstandard only since 3.14. polars reads it, and without quoting gives whole lines.
    lines = pl.scan_csv(
        source.path,
        has_header=False,
        infer_schema=False,
        quote_char=None,
        separator="\0",
        glob=False,
    )
    for batch in lines.collect_batches(chunk_size=1 << 16, engine="streaming"):
        yield "".join(f"{line or ''}\n" for line in batch.to_series()).encode()


def _zstd_size(file: BinaryIO) -> int:
    """Return the largest size to which the frames of a Zstandard file can expand (RFC 8878)."""
    size = 0
    while len(magic := file.read(4)) == 4:
        number = int.from_bytes(magic, "little")
        if 0x184D2A50 <= number <= 0x184D2A5F:  # a skippable frame
            file.seek(int.from_bytes(file.read(4), "little"), io.SEEK_CUR)
            continue
        if number != 0xFD2FB528:
            break
        descriptor = file.read(1)[0]
        one_segment = descriptor >> 5 & 1
        content = (one_segment, 2, 4, 8)[descriptor >> 6]
        file.seek((not one_segment) + (0, 1, 2, 4)[descriptor & 3] + content, io.SEEK_CUR)
        last = 0
        while not last and len(header := file.read(3)) == 3:
            block = int.from_bytes(header, "little")
            last, kind, length = block & 1, block >> 1 & 3, block >> 3
            size += 1 << 17 if kind == 2 else length
            file.seek(1 if kind == 1 else length, io.SEEK_CUR)
        file.seek(4 * (descriptor >> 2 & 1), io.SEEK_CUR)
    file.seek(0)
    return size


def _end_of_rows(buffer: bytes) -> int:
    """Return the end of the last whole row: after a newline that is not inside quotation marks."""
    quoted = buffer.count(b'"') % 2 == 1
    end = newline = len(buffer)
    while True:
        quote = buffer.rfind(b'"', 0, end)
        if quoted:
            end, quoted = quote, False
            continue
        if newline >= end:
            newline = buffer.rfind(b"\n", 0, end)
        if newline > quote or newline < 0:
            return newline + 1
        end, quoted = quote, True


def _blank(raw: pl.DataFrame) -> NDArray[np.bool_]:
    """Return which rows have no value."""
    empty = pl.all().str.strip_chars().fill_null("") == ""
    blank: NDArray[np.bool_] = (
        raw.to_series(-1).to_frame().select(empty).to_series().to_numpy(writable=True)
    )
    if blank.any():
        blank[blank] = raw.filter(blank).select(pl.all_horizontal(empty)).to_series().to_numpy()
    return blank


# ---- The dialect ---------------------------------------------------------------------------------


def _records(lines: Iterable[str], separator: str, *, strict: bool = False) -> Any:
    """Read rows with the standard library's parser."""
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=strict)


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that gives the most names, preferably with rows of the same length."""
    best, most = ",", (False, 1)
    for separator in (*SEPARATORS, " "):
        if separator == " " and most[1] > 1:
            break  # names may contain spaces
        if not any(separator in line for line in lines):
            continue
        records = itertools.islice(_records(lines, separator), SAMPLED)
        widths = [len(record) for record in records if any(map(str.strip, record))]
        alike = all(abs(width - widths[0]) <= 1 for width in widths)
        if widths and widths[0] > 1 and (alike, widths[0]) > most:
            best, most = separator, (alike, widths[0])
    return best


def _is_header(comment: str, row: Sequence[str], separator: str) -> bool:
    """Whether a comment names the columns, as in headers by NumPy and tools of genetics."""
    names = next(_records([comment], separator))
    values: list[str] = next(_records(row, separator), [])
    return len(names) == len(values) and any(map(NUMBER.fullmatch, values))


def _fitted(names: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Add a name that is missing in the header, or remove an empty one after its last comma."""
    widths = {len(row) for row in rows}
    if widths == {len(names) + 1}:
        if not any(row[-1].strip() for row in rows):
            return [*names, ""]
        if len(names) > 1:  # R's row names
            return ["", *names]
    while len(names) > 1 and not names[-1] and rows and max(widths) < len(names):
        names = names[:-1]
    return names


def _unique(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return names with repetitions numbered, as a, a.1, a.2, and the original of each new one."""
    if len(set(names)) == len(names):
        return list(names), {}
    repeated: dict[str, str] = {}
    times, taken = Counter[str](), set(names)
    unique = []
    for name in names:
        new = name
        if times[name]:
            while new in taken:
                new = f"{name}.{times[name]}"
                times[name] += 1
            taken.add(new)
            repeated[new] = name
        else:
            times[name] = 1
        unique.append(new)
    return unique, repeated


def _not_utf8(source: Source, row: int | None = None) -> NoReturn:
    raise EncodingError(source, row)
