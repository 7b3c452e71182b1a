# SPDX-License-Identifier: BSD-3-Clause
"""How a command ends: an exit code, and one line on stderr if it fails."""

import errno
import os
import re
import reprlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

import logreg_c

from .interrupts import INTERRUPTS

# The extra that installs each module; any other missing module means a broken installation.
EXTRAS = {
    "click": "cli",
    "rich": "cli",
    "polars": "cli",
    "jinja2": "report",
    "matplotlib": "report",
    "onnx": "onnx",
    "dask": "dask",
    "distributed": "dask",
}
# Errors from writing to a pipe whose reader has exited; Windows also reports an invalid argument.
NOBODY_READS = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
LONGEST_LINE = 600  # characters of a message; more would not help
LONGEST_NAME = 80

# Characters that Python considers printable but that are invisible: fillers, joiners, selectors.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60


class InputError(Exception):
    """The user's input cannot be used; each argument is a line and says what to do."""

    def __str__(self) -> str:
        return "\n".join(self.args)


class Failure(Exception):  # noqa: N818 (not an error of the program)
    """The computation failed; the message is one line."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the message says in one line what has been saved."""


def refuse(message: str) -> NoReturn:
    """Raise InputError."""
    raise InputError(message)


def say(message: str) -> None:
    """Write one line to stderr, if it is open."""
    if sys.stderr is None:
        return
    line = shortened(visible(" ".join(message.split())), LONGEST_LINE)
    with suppress(OSError, ValueError):
        print("logreg-c:", line, file=sys.stderr)


def visible(text: str) -> str:
    r"""Return text with control and invisible characters escaped, such as \x1b and \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() and not INVISIBLE.match(c) else c.encode("unicode_escape").decode()
        for c in text
    )


def in_options(message: str) -> str:
    """Return a message of `train` with parameters replaced by command-line options."""
    for word, option in {
        "alpha below": "--alpha below",
        "such as 'auto'": "such as auto",
        "standardize=True": "--standardize",
    }.items():
        message = message.replace(word, option)
    return message


def shortened(text: str, at_most: int) -> str:
    """Return text, with its middle replaced by dots if it is too long."""
    if len(text) <= at_most:
        return text
    head = (at_most - 3) * 2 // 3
    return f"{text[:head]}...{text[head + 3 - at_most :]}"


def brief(value: object) -> str:
    """Return a value of a table for use in a message: quoted and short."""
    return _BRIEF.repr(value)


def shown(value: object, at_most: int = LONGEST_NAME) -> str:
    """Return a name or class for display, quoted if it would be misleading otherwise."""
    text = shortened(str(value), at_most)
    if isinstance(value, str) and not (visible(text) == text.strip() == text != ""):
        text = repr(text)
    return visible(text)


@contextmanager
def memory_for(what: str) -> Iterator[None]:
    """On a MemoryError, say what needed the memory."""
    try:
        yield
    except MemoryError as error:
        msg = f"not enough memory for {what}; free some, or give fewer rows or columns"
        raise Failure(msg) from error


# ---- The end -----------------------------------------------------------------------------------


@dataclass
class Ended:
    """How a command ended."""

    code: int = 0


@contextmanager
def ending() -> Iterator[Ended]:
    """Catch everything: print one line about what went wrong, and choose the exit code."""
    ended = Ended()
    _occupy_closed_streams()
    with _own_stderr(), warnings.catch_warnings():
        for stream in (sys.stdout, sys.stderr):  # a name outside the terminal's alphabet is no
            if hasattr(stream, "reconfigure"):  # reason to fail
                stream.reconfigure(errors="backslashreplace")
        # What libraries warn developers of is not for users; what is for them has a line of ours.
        warnings.simplefilter("ignore", append=True)
        try:
            yield ended
            _flush(sys.stdout)
        except BaseException as error:  # noqa: BLE001 (everything ends in one line)
            if os.environ.get("LOGREG_C_TRACEBACK"):
                with suppress(OSError, ValueError):
                    traceback.print_exception(error)
            message, ended.code = _described(error)
            lines = error.args if isinstance(error, InputError) else (message,)
            for line in filter(None, lines):
                say(line)
        for stream in (sys.stdout, sys.stderr):
            _abandon(stream)


def _described(error: BaseException) -> tuple[str, int]:  # noqa: PLR0911
    """Return the message for an error, and the exit code."""
    match error:
        case KeyboardInterrupt():
            known = isinstance(error, Interrupted)
            return str(error) if known else INTERRUPTS.message, INTERRUPTS.code
        case SystemExit():
            return "", error.code if isinstance(error.code, int) else int(error.code is not None)
        case InputError():
            return str(error), 2
        case logreg_c.DivergenceError():
            return f"training diverged: {in_options(str(error))}", 1
        case Failure() | OverflowError() | FloatingPointError():
            return str(error), 1
        case MemoryError():
            return "not enough memory; free some, or give fewer rows or columns", 1
        case OSError(filename=None) if error.errno in NOBODY_READS:
            return "", 0  # as with `| head`, which needs no more
        case FileNotFoundError(filename=None):  # from os.getcwd
            return "the current folder no longer exists; change to another", 2
        case OSError(filename=None):
            return f"standard output cannot be written: {error.strerror or error}", 1
        case OSError():
            return f"{error.filename} cannot be used: {error.strerror or error}", 2
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in EXTRAS:
            missing = (error.name or "").partition(".")[0]
            return f"this needs {missing}: pip install 'logreg-c[{EXTRAS[missing]}]'", 2
    what = shortened(f"{type(error).__name__}: {error}", 300)
    remedy = "please report it, with the output under LOGREG_C_TRACEBACK=1"
    return f"internal error ({what}); {remedy}", 1


def _occupy_closed_streams() -> None:
    """Keep files from getting the descriptors of streams that the caller has closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor


@contextmanager
def _own_stderr() -> Iterator[None]:
    """Have Python write to stderr through a number of its own, which `muted` leaves as it is."""
    before, own = sys.stderr, os.dup(2)
    INTERRUPTS.stderr = own
    if _number(before) == 2:
        sys.stderr = os.fdopen(own, "w", buffering=1, encoding=before.encoding, closefd=False)
    try:
        yield
    finally:
        sys.stderr, INTERRUPTS.stderr = before, 2
        os.dup2(own, 2)
        os.close(own)


@contextmanager
def muted() -> Iterator[None]:
    """Let Python alone write to stderr: a panic in Rust does so before it can be caught.

    If there is an error, that lasts to the end of the command: other threads may panic later.
    """
    own = INTERRUPTS.stderr
    if own == 2:  # outside of a command
        yield
        return
    _lose(2)
    yield
    os.dup2(own, 2)


def _number(stream: object) -> int | None:
    try:
        number: int = stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # it is None, or no file
        return None
    return number


def _lose(number: int) -> None:
    """Let what is written to this number go nowhere."""
    lost = os.open(os.devnull, os.O_WRONLY)
    os.dup2(lost, number)
    os.close(lost)


def _flush(stream: object) -> None:
    if stream is not None and not getattr(stream, "closed", False):
        stream.flush()  # type: ignore[attr-defined]


def _abandon(stream: object) -> None:
    """Discard output that cannot be written; the interpreter would complain about it at exit."""
    try:
        _flush(stream)
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            _lose(stream.fileno())  # type: ignore[attr-defined]
