# SPDX-License-Identifier: BSD-3-Clause
"""How a command ends: an exit code, and one line on stderr if it cannot go on."""

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

# What each extra brings: a missing module is told from a broken installation by these.
EXTRAS = {
    "typer": "cli",
    "rich": "cli",
    "polars": "cli",
    "jinja2": "report",
    "matplotlib": "report",
    "onnx": "onnx",
}
# What a pipe says whose reader has gone; on Windows also that the argument is invalid.
NOBODY_READS = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
LONGEST_LINE = 600  # characters of a message: more is no help
LONGEST_NAME = 80

# Characters that are printable for Python, and invisible: fillers, joiners, selectors.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60


class InputError(Exception):
    """What the user gave cannot be used; the message is one line and says what to do."""


class Failure(Exception):  # noqa: N818 (the error is not the program's)
    """The computation did not come to its end; the message is one line."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and what remains of the work, in one line."""


def refuse(message: str) -> NoReturn:
    """Raise InputError."""
    raise InputError(message)


def say(message: str) -> None:
    """Write one line to stderr, if anybody can read it."""
    if sys.stderr is None:
        return
    line = shortened(visible(" ".join(message.split())), LONGEST_LINE)
    with suppress(OSError, ValueError):
        print("logreg-c:", line, file=sys.stderr)


def visible(text: str) -> str:
    r"""Return text in which nothing hides or acts: \x1b for an escape, \u202e for right to left."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() and not INVISIBLE.match(c) else c.encode("unicode_escape").decode()
        for c in text
    )


def in_options(message: str) -> str:
    """Return a message of `train` in the words of the command line."""
    for word, option in {
        "alpha below": "--alpha below",
        "such as 'auto'": "such as auto",
        "standardize=True": "--standardize",
    }.items():
        message = message.replace(word, option)
    return message


def shortened(text: str, at_most: int) -> str:
    """Return text with its middle left out, if it is longer."""
    if len(text) <= at_most:
        return text
    head = (at_most - 3) * 2 // 3
    return f"{text[:head]}...{text[head + 3 - at_most :]}"


def brief(value: object) -> str:
    """Return a value of a table as a message has it: quoted, and never a page of it."""
    return _BRIEF.repr(value)


def shown(value: object, at_most: int = LONGEST_NAME) -> str:
    """Return a name or class as a person reads it, quoted where it would mislead otherwise."""
    text = shortened(str(value), at_most)
    if isinstance(value, str) and not (visible(text) == text.strip() == text != ""):
        text = repr(text)
    return visible(text)


@contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Name what there is not enough memory for."""
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
    """Let nothing out: say in one line what went wrong, and choose the exit code."""
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
        except BaseException as error:  # noqa: BLE001 (nothing gets out)
            if os.environ.get("LOGREG_C_TRACEBACK"):
                with suppress(OSError, ValueError):
                    traceback.print_exception(error)
            message, ended.code = _told(error)
            if message:
                say(message)
        for stream in (sys.stdout, sys.stderr):
            _abandon(stream)


def _told(error: BaseException) -> tuple[str, int]:  # noqa: PLR0911
    """Return the line for an error, and the exit code."""
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
            return "", 0  # as after `| head`, which has all it wants
        case FileNotFoundError(filename=None):  # of os.getcwd
            return "the folder that this runs in no longer exists; change to another", 2
        case OSError(filename=None):
            return f"standard output cannot be written: {error.strerror or error}", 1
        case OSError():
            return f"{error.filename} cannot be used: {error.strerror or error}", 2
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in EXTRAS:
            missing = (error.name or "").partition(".")[0]
            return f"this needs {missing}: pip install 'logreg-c[{EXTRAS[missing]}]'", 2
    what = shortened(f"{type(error).__name__}: {error}", 300)
    remedy = "please report it, with what LOGREG_C_TRACEBACK=1 in the environment prints"
    return f"internal error ({what}); {remedy}", 1


def _occupy_closed_streams() -> None:
    """Let no file that is opened get the number of a stream that the caller has closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


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
    """Let what cannot be written go where it is lost: the interpreter would complain of it."""
    try:
        _flush(stream)
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            _lose(stream.fileno())  # type: ignore[attr-defined]
