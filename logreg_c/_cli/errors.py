# SPDX-License-Identifier: BSD-3-Clause
"""How a command ends when it cannot go on: one line on stderr, and an exit code."""

import errno
import os
import reprlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

import logreg_c

# What a pipe says whose reader has gone; on Windows also that the argument is invalid.
NOBODY_READS = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 60


class InputError(Exception):
    """What the user gave cannot be used; the message is one line and says what to do."""


def refuse(message: str) -> NoReturn:
    """Raise InputError."""
    raise InputError(message)


def say(message: str) -> None:
    """Write one line to stderr."""
    print("logreg-c:", " ".join(message.split()), file=sys.stderr)


def brief(value: object) -> str:
    """Return a value of a table as a message has it: quoted, and never a page of it."""
    return _BRIEF.repr(value)


def shown(value: object) -> str:
    """Return a name or class as a person reads it, quoted where it would mislead otherwise."""
    if isinstance(value, str):
        return value if value.isprintable() and value.strip() == value != "" else repr(value)
    return str(value)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with one line on stderr: 2 for bad input, 1 for a failed computation, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):  # a name outside the terminal's alphabet is no reason
        if hasattr(stream, "reconfigure"):  # to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except InputError as error:
        message, code = str(error), 2
    except logreg_c.DivergenceError as error:
        in_options = str(error).replace("standardize=True", "--standardize")
        message, code = f"training diverged: {in_options}", 1
    except ArithmeticError as error:
        message, code = str(error), 1
    except MemoryError:
        message, code = "not enough memory for this file", 1
    except OSError as error:  # stdout: files are spoken for by InputError
        if error.errno in NOBODY_READS:  # as after `| head`
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        message, code = f"standard output cannot be written: {error.strerror or error}", 1
    except KeyboardInterrupt:
        message, code = "interrupted; no file was written", 130
    else:
        return
    say(message)
    raise typer.Exit(code)
