# SPDX-License-Identifier: BSD-3-Clause
"""All faults of a table at once, each with the option that remedies it."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from logreg_c._cli.errors import InputError, brief

from .source import Source

NAMED = 4  # columns per line
LONGEST_OPTIONS = 500  # characters


class Kind(NamedTuple):
    """A kind of fault of a column, in words."""

    one: str  # {} is the column, then what is particular about it
    many: str
    remedy: str  # {drop} leaves out the column


KINDS = {
    "repeated": Kind(
        "2 columns named {1}, of which one is read as {0}",
        "columns with repeated names",
        "{drop} leaves {it} out, or give each column its own name",
    ),
    "type": Kind(
        "feature {} is of type {}",
        "features of other types than numbers, true/false, text and dates",
        "{drop} leaves {it} out, or convert {it}",
    ),
    "empty": Kind("column {} is empty{}", "empty columns", "{drop} leaves {it} out"),
    "missing": Kind(
        "column {} has missing values, first in row {}",
        "columns with missing values",
        "--missing median fills them in, and --missing drop leaves out such rows",
    ),
    "infinite": Kind(
        "column {} is infinite in row {}",
        "columns with infinite values",
        "replace them with finite numbers, or treat them as missing by --na-value",
    ),
    "faulty": Kind(
        "feature {} is numeric except for {}",
        "features that are nearly all numbers",
        "correct these cells, or treat them as missing by --na-value; {drop} leaves {it} out",
    ),
    "date": Kind(
        "feature {} is a date ({})",
        "features that are dates",
        "--date-parts days counts days, and --help lists other parts; {drop} leaves {it} out",
    ),
    "unclear date": Kind(
        "feature {} is a date of which day and month cannot be told apart ({})",
        "features that are dates of which day and month cannot be told apart",
        "write them as YYYY-MM-DD; {drop} leaves {it} out",
    ),
    "id": Kind(
        "feature {} has {}",
        "features with a different text in each row",
        "{drop} leaves {it} out",
    ),
    "many": Kind(
        "feature {} has {}",
        "features with too many different values",
        "--min-count merges those in fewer rows; {drop} leaves {it} out",
    ),
    "uncounted": Kind(
        "feature {} has {}",
        "features with more different values than are counted in batches",
        "{drop} leaves {it} out",
    ),
    "long": Kind(
        "column {} has {}",
        "columns with long values",
        "shorten them; {drop} leaves {it} out",
    ),
    "text": Kind(
        "feature {} is text ({})",
        "features that are text",
        "features must be numbers or true/false: --one-hot makes a feature of each value;"
        " {drop} leaves {it} out",
    ),
}


class Fault(NamedTuple):
    """A fault of one column."""

    column: str
    detail: str


class Faults:
    """Faults of a table, to be reported together."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.of_kind: dict[str, list[Fault]] = {}
        self.others: list[str] = []
        self.options: dict[str, list[str]] = {}  # the values of each; none for a switch

    def add(self, kind: str, column: str, detail: object = "", **options: object) -> None:
        """Add a fault of a column, and the options that remedy it: one_hot="" or na_value=["x"]."""
        self.of_kind.setdefault(kind, []).append(Fault(column, str(detail)))
        self.remedy(**options or {"drop": column})

    def add_other(self, message: str, **options: object) -> None:
        """Add a fault that is not of a feature."""
        self.others.append(message)
        self.remedy(**options)

    def remedy(self, **options: object) -> None:
        """Add options to those that are proposed."""
        for name, value in options.items():
            values = self.options.setdefault("--" + name.replace("_", "-"), [])
            for text in map(str, value if isinstance(value, list) else [value]):
                if text not in values:
                    values.append(text)

    def refuse(self) -> None:
        """Raise an InputError with all faults, if there are any."""
        lines = [*self.others]
        for kind, faults in self.of_kind.items():
            lines.append(_described(KINDS[kind], faults))
        if not lines:
            return
        options = _joined(self.options)
        if len(lines) == 1:
            raise InputError(f"{self.source}: {lines[0]}" + f"; add {options}" * bool(options))
        last = [f"add {options}"] if options else []
        head = f"{self.source} has {len(lines)} kinds of faults:"
        raise InputError(head, *[f"- {line}" for line in lines], *last)


def _described(kind: Kind, faults: Sequence[Fault]) -> str:
    names = [brief(column) + f" in row {at}" * at.isdigit() for column, at in faults]
    if len(faults) == 1:
        (column, detail), it = faults[0], "it"
        what = kind.one.format(brief(column), detail)
    else:
        more = len(faults) - NAMED
        tail = f" and {more} more" if more > 0 else ""
        what, it = f"{len(faults)} {kind.many} ({', '.join(names[:NAMED])}{tail})", "them"
        column = faults[0].column
    drop = _option("--drop", column) if len(faults) == 1 else "--drop"
    return f"{what}; {kind.remedy.format(drop=drop, it=it)}"


def _option(name: str, value: str) -> str:
    if value == "":
        return name
    quoted = shlex.quote(value)
    return f"{name}={quoted}" if quoted.startswith("-") else f"{name} {quoted}"


def _joined(options: dict[str, list[str]]) -> str:
    """Return the options for a shell, or as many as fit into a line."""
    if "--min-count" in options:
        options = options | {"--min-count": [max(options["--min-count"], key=int)]}
    joined = ""
    for name, values in options.items():
        for value in values:
            option = _option(name, value)
            if len(joined) + len(option) > LONGEST_OPTIONS:
                return joined + " ..."
            joined += " " * bool(joined) + option
    return joined
