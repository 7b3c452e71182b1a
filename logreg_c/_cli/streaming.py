# SPDX-License-Identifier: BSD-3-Clause
"""Files that are read in batches, again for every pass of a training."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c.batches import Batches

from . import tables
from .console import console
from .errors import refuse
from .recipes import Recipe
from .tables import Source

# Formats that polars reads in batches.
IN_BATCHES = ("CSV", "Parquet", "Arrow")


class Passes:
    """How often files have been read, and how fast."""

    def __init__(self, source: Source) -> None:
        self.size = source.size  # in bytes, as they are on the disk
        self._parts = [part.path for part in source.parts]
        self.rows = 0  # of a pass, once one is complete
        self.passes = 0
        self.of_files: list[int] = []  # rows of each file
        self.seconds = 0.0
        self._read = 0  # rows of the pass so far
        self._since = 0.0

    def counted(self, batches: tables.Rows) -> tables.Rows:
        """Pass the batches of one reading on."""
        self._read, self._since = 0, time.perf_counter()
        of_files = dict.fromkeys(self._parts, 0)
        for part, row, batch in batches:
            self._read += batch.height
            of_files[part.path] += batch.height
            yield part, row, batch
        self.rows, self.of_files = self._read, list(of_files.values())
        self.passes += 1
        self.seconds += time.perf_counter() - self._since
        self._read = 0

    def __str__(self) -> str:
        """Describe the pass that goes on, or else all."""
        if self._read:
            elapsed = time.perf_counter() - self._since
            share = self._read / self.rows if self.rows else 0.0
            speed = f", {self._speed(share, elapsed)}" if share else ""
            return f"pass {self.passes + 1}: {self._read:,} rows{speed}"
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        return f"{passes} over {self.rows:,} rows, {self._speed(self.passes, self.seconds)}"

    def _speed(self, passes: float, seconds: float) -> str:
        return f"{self.size * passes / max(seconds, 1e-9) / 1e9:.2f} GB/s"


class FeatureBatches(Batches):
    """X of some rows of files: `rows` says which, of all that the files have."""

    n_threads: int | None = None  # of what `made` calls

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        rows: NDArray[np.bool_],
        passes: Passes,
        folder: Path | None = None,
    ) -> None:
        self._source, self._recipe, self._rows, self.passes = source, recipe, rows, passes
        self._opened: dict[bool, Any] = {}
        super().__init__(self._columns)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256(json.dumps(self.identity()).encode()).hexdigest()
            self.cache = folder / f"{digest[:16]}.cache"

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return True

    def identity(self) -> Any:
        """Return what changes when the files, the recipe or the choice of rows do."""
        files = [(str(p.path.resolve()), p.path.stat()) for p in self._source.parts]
        about = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in files]
        return [about, repr(self._recipe), hashlib.sha256(self._rows.tobytes()).hexdigest()]

    def open_parts(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        """Check everything in the first pass, which is not repeated for the same weights."""
        key = sample_weight is None
        if key not in self._opened:
            self._opened[key] = self._open(Y, sample_weight, dtype, names)
        return self._opened[key]

    def _open(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        return super().open_parts(Y, sample_weight, dtype, names)

    def some(self, chosen: NDArray[np.bool_]) -> "SomeRows":
        """Return some of these rows."""
        return SomeRows(self, chosen)

    def stored(self) -> Iterator[list[NDArray[Any]]]:
        """Yield X as `matrices` does, from the cache if there is one."""
        if self.cache is None:
            yield from self.matrices()
        else:
            for part in next(iter(self._opened.values())):
                yield part.X

    def made(self, work: Callable[..., Iterator[Any]], *of_rows: NDArray[Any]) -> Iterator[Any]:
        """Read these rows again; yield what `work` makes of their choice, values, and batches."""
        batches = tables.batches(self._source, self._recipe.as_text())
        yield from work(self._rows, *of_rows, self.passes.counted(batches))

    def matrices(self) -> Iterator[list[NDArray[Any]]]:
        """Yield X of some rows after the other, as columns of numbers and true/false."""
        batches = tables.batches(self._source, self._recipe.as_text())
        yield from features_of(self.passes.counted(batches), self._recipe, self._rows)

    def _columns(self) -> Iterator[dict[str, NDArray[Any]]]:
        return map(_named, self.matrices())


class SomeRows(Batches):
    """X of some rows of others, such as those of a fold."""

    def __init__(self, others: FeatureBatches, chosen: NDArray[np.bool_]) -> None:
        self._others, self._chosen = others, chosen
        super().__init__(self._columns)

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return True

    def _columns(self) -> Iterator[dict[str, NDArray[Any]]]:
        first = 0
        for X in self._others.stored():
            here = self._chosen[first : first + len(X[0])]
            first += len(here)
            if here.any():
                yield _named([x[here] for x in X])


def _named(X: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {str(j): x for j, x in enumerate(X)}


def features_of(
    batches: tables.Rows, recipe: Recipe, rows: NDArray[np.bool_]
) -> Iterator[list[NDArray[Any]]]:
    """Yield X of some rows of all batches, as columns of numbers and true/false."""
    first = 0
    for part, row, batch in batches:
        chosen = rows[first : first + batch.height]
        first += batch.height
        here = batch if chosen.all() else batch.filter(pl.Series(chosen))
        if here.height:
            series = [here.get_column(name) for name in recipe.sources]
            yield [_plain(x) for x in tables.features(recipe, series, part, row)]


def check_format(source: Source) -> None:
    """Refuse files that can only be read whole."""
    if source.kind not in IN_BATCHES:
        refuse(
            f"{source}: files of the format {source.kind} are read whole; --stream reads"
            f" {', '.join(IN_BATCHES[:-1])} and {IN_BATCHES[-1]} files: convert it, or leave out"
            " --stream"
        )


def _plain(x: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as float64, so that all batches have one type."""
    return x if x.dtype == bool else np.asarray(x, np.float64)


@contextmanager
def shown(passes: Passes) -> Iterator[None]:
    """Show how far a reading has come, if stderr is a terminal."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield
        return
    from rich.progress import Progress  # noqa: PLC0415 (loaded only for a terminal)

    with Progress(column_of(passes), console=err, transient=True) as progress:
        progress.add_task("", total=None)
        yield


def column_of(passes: Passes) -> Any:
    """Return a column of a progress bar that says how far a reading has come."""
    from rich.progress import ProgressColumn  # noqa: PLC0415 (loaded only for a terminal)
    from rich.table import Column  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class Reading(ProgressColumn):
        def render(self, _task: Any) -> Text:
            return Text(str(passes))

    return Reading(Column(no_wrap=True))
