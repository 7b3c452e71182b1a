# SPDX-License-Identifier: BSD-3-Clause
"""Collections as blocks of examples on the workers, cut where the kernel's segments begin."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import dask
import numpy as np
from dask._task_spec import Task, convert_legacy_graph
from dask.base import is_dask_collection
from distributed import Future

from logreg_c import _input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from distributed import Client
    from numpy.typing import NDArray


class Block(NamedTuple):
    """Examples on a worker, as the kernel reads them; any number of them, also none."""

    X: NDArray[Any] | list[NDArray[Any]]  # (n_x, m), or n_x columns
    Y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    example_major: bool
    float32: bool  # whether the types of X may be computed in float32
    names: tuple[Any, ...] | None
    highest: int | None  # of labels that are integers

    @property
    def m(self) -> int:
        """The number of examples."""
        return self.Y.size

    def between(self, first: int, end: int) -> Block:
        """Return examples [first, end), in place."""
        at = slice(first, end)
        X = [x[at] for x in self.X] if isinstance(self.X, list) else self.X[:, at]
        weight = None if self.sample_weight is None else self.sample_weight[at]
        return self._replace(X=X, Y=self.Y[at], sample_weight=weight)


class Described(NamedTuple):
    """What the client has to know of a block."""

    m: int
    n_x: int
    example_major: bool
    float32: bool
    names: tuple[Any, ...] | None
    highest: int | None
    largest_weight: float


class Piece(NamedTuple):
    """Examples [first, end) of a block, which has a number."""

    block: int
    first: int
    end: int


class Cut(NamedTuple):
    """Examples of some blocks, of which the first is number `at` of the whole."""

    pieces: list[Piece]
    at: int


class Partition(NamedTuple):
    """A partition of the collections, still to be computed."""

    X: Any
    Y: Any
    sample_weight: Any


# ---- On the client -------------------------------------------------------------------------------


def partitions(X: Any, Y: Any, sample_weight: Any) -> list[Partition]:
    """Return the partitions of collections that are cut alike, a delayed object for each part."""
    given = [value for value in (X, Y, sample_weight) if value is not None]
    if all(map(_is_frame, given)):
        return _of_frames(given)
    parts = [_delayed(X, "X"), _delayed(Y, "Y")]
    if sample_weight is not None:
        parts.append(_delayed(sample_weight, "sample_weight"))
    for name, other in zip(("Y", "sample_weight"), parts[1:], strict=False):
        if len(other) != len(parts[0]):
            msg = (
                f"X has {len(parts[0])} partitions and {name} {len(other)}; expected the same rows "
                f"in each: rechunk {name}, or pass columns of one DataFrame as they are"
            )
            raise ValueError(msg)
    if not parts[0]:
        msg = "X has no partitions; expected at least one"
        raise ValueError(msg)
    return [Partition(*row, *[None] * (3 - len(row))) for row in zip(*parts, strict=True)]


def _is_frame(collection: Any) -> bool:
    return hasattr(collection, "npartitions") and hasattr(collection, "map_partitions")


def _of_frames(given: list[Any]) -> list[Partition]:
    """Return the partitions of frames and series, which Dask optimizes together.

    One by one, columns of the same files would not always be cut alike.
    """
    counts = [one.npartitions for one in given]
    if len(set(counts)) > 1:
        msg = f"X, Y and sample_weight have {counts} partitions; expected the same rows in each"
        raise ValueError(msg)
    together = given[0].map_partitions(
        _tuple,
        *given[1:],
        meta=given[0]._meta,  # noqa: SLF001 (dask's way)
        enforce_metadata=False,
        align_dataframes=False,
    )
    return [
        Partition(*(part[k] if k < len(given) else None for k in range(3)))
        for part in together.to_delayed()
    ]


def _tuple(*parts: Any) -> tuple[Any, ...]:
    return parts


def _delayed(collection: Any, name: str) -> list[Any]:
    """Return the partitions of a collection along the rows."""
    if hasattr(collection, "numblocks"):  # an array
        if collection.ndim == 2 and collection.numblocks[1] > 1:
            collection = collection.rechunk({1: -1})
        return list(np.ravel(collection.to_delayed()))
    if hasattr(collection, "npartitions") and hasattr(collection, "to_delayed"):
        return list(collection.to_delayed())
    if isinstance(collection, (list, tuple)) and all(map(_is_lazy, collection)):
        return list(collection)
    msg = (
        f"{name} is a {type(collection).__name__}; expected a dask Array, DataFrame or Series, or "
        "a list of delayed objects or futures, one for each partition. For data in this process "
        "use logreg_c.fit"
    )
    raise TypeError(msg)


def _is_lazy(part: Any) -> bool:
    return is_dask_collection(part) or hasattr(part, "who_has") or hasattr(part, "key")


def computed(
    client: Client, parts: Iterable[Partition], coded: Callable[[Any], Any] | None
) -> list[tuple[Future, ...]]:
    """Begin to compute a block of each partition, or return the parts of what is persisted.

    A worker that dies takes only its own along.
    """
    make = dask.delayed(make_block, pure=False)
    found: list[tuple[Future, ...]] = []
    asked = {}
    for k, part in enumerate(parts):
        keys = [of.key for of in part if of is not None]
        there = all(key in client.futures for key in keys)
        found.append(tuple(Future(key, client) for key in keys) if there else ())
        if not there:
            asked[k] = make(*part, k, coded)
    for k, block in zip(asked, begun(client, list(asked.values())), strict=True):
        found[k] = (block,)
    return found


def begun(client: Client, asked: list[Any]) -> list[Future]:
    """Begin to compute delayed objects, each by one task where nothing else needs what it needs.

    A task costs the scheduler and its worker milliseconds. Annotations would be lost.
    """
    if not asked:
        return []
    layers = (layer for one in asked for layer in one.dask.layers.values())
    if any(layer.annotations for layer in layers):
        futures: list[Future] = client.compute(asked)
    else:
        futures = client.get(_fused(asked), [one.key for one in asked], sync=False)
    return futures


def _fused(asked: list[Any]) -> dict[Any, Any]:
    """Return a graph with a task of each delayed object, and the tasks that several need."""
    ((shared, *_),) = dask.optimize(asked)
    graph: dict[Any, Any] = convert_legacy_graph(dict(shared.dask))
    dependents = Counter(key for task in graph.values() for key in task.dependencies)
    for one in asked:
        group, seen, here = [], [one.key], Counter[Any]()
        while seen:
            group.append(graph[seen.pop()])
            for key in group[-1].dependencies:
                here[key] += 1  # of those that depend on it
                if here[key] == dependents[key] and key in graph:
                    seen.append(key)
        for task in group:
            del graph[task.key]
        graph[one.key] = Task.fuse(*group, key=one.key)
    return graph


def are_scattered(dask_scheduler: Any, keys: list[Any]) -> bool:
    """Return, on the scheduler, whether it could not compute some data again if they were lost."""
    seen = [dask_scheduler.tasks[key] for key in keys if key in dask_scheduler.tasks]
    known = set(seen)
    while seen:
        task = seen.pop()
        if task.run_spec is None:
            return True
        new = task.dependencies - known
        known |= new
        seen += new
    return False


# ---- On the workers ------------------------------------------------------------------------------


def make_block(
    X: Any, Y: Any, sample_weight: Any, number: int, coded: Callable[[Any], Any] | None
) -> Block:
    """Check a partition: X (m, n_x) or a frame of m rows; `coded` makes numbers of its labels."""
    try:
        return _block(X, Y, sample_weight, coded)
    except (TypeError, ValueError) as error:
        msg = f"partition {number}: {error}"
        raise type(error)(msg) from None


def _block(X: Any, Y: Any, sample_weight: Any, coded: Callable[[Any], Any] | None) -> Block:
    is_array = isinstance(X, np.ndarray)
    if is_array:
        if X.ndim != 2:
            msg = f"X has shape {X.shape}; expected two dimensions, (rows, features)"
            raise ValueError(msg)
        X = np.ascontiguousarray(X).T
    if len(Y) == 0:  # says nothing about types
        n_x = X.shape[0] if is_array else len(X if isinstance(X, list) else X.columns)
        weight = None if sample_weight is None else np.empty(0)
        return Block(np.empty((n_x, 0)), np.empty(0), weight, is_array, True, None, 0)
    examples = _input.examples(X, None)
    Y, highest = _labels(Y if coded is None else coded(np.asarray(Y)), examples)
    weight = None
    if sample_weight is not None:
        weight = _input.column(sample_weight, "sample_weight", examples)
        bad = np.flatnonzero(~((weight >= 0) & (weight <= _input.LARGEST)))
        if bad.size:
            msg = f"sample_weight is {weight[bad[0]]} at row {bad[0]}; expected finite weights >= 0"
            raise ValueError(msg)
    values: Any = examples.values if is_array else list(examples.dense)
    return Block(values, Y, weight, is_array, examples.float32, examples.names, highest)


def _labels(Y: Any, examples: _input.Examples) -> tuple[NDArray[Any], int | None]:
    """Return labels and, where they are integers, the highest."""
    Y = _input.signed(_input.own_array(_input.values_of(Y, "Y"), "Y"))
    if Y.dtype.kind not in "iub":
        return _input.labels(Y, examples), None
    codes = _input.column(Y, "Y", examples)
    if int(codes.min()) < 0:
        return _input.labels(codes, examples), None  # which raises
    return codes, int(codes.max())


def is_positive(positive: Any, labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels are those of a class."""
    return np.asarray(labels == positive, np.bool_)


def numbers_in(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers of classes, which are sorted; of two, which labels are the second."""
    if len(classes) == 2:
        return is_positive(classes[1], labels)
    return np.searchsorted(classes, labels).astype(np.int32)


def described(block: Block) -> Described:
    """Return what the client has to know."""
    weight = block.sample_weight
    largest = 1.0 if weight is None else float(weight.max(initial=0.0))
    shape = block.m, len(block.X)
    types = block.example_major, block.float32
    return Described(*shape, *types, block.names, block.highest, largest)


def join_blocks(pieces: Sequence[Block]) -> Block:
    """Return the examples of some pieces, one after the other."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    X: Any
    if isinstance(first.X, list):
        X = [np.concatenate(columns) for columns in zip(*(p.X for p in pieces), strict=True)]
    else:
        X = np.concatenate([np.asarray(piece.X).T for piece in pieces]).T
    weight = None
    if first.sample_weight is not None:
        weight = np.concatenate([np.asarray(piece.sample_weight) for piece in pieces])
    Y = np.concatenate([piece.Y for piece in pieces])
    return first._replace(X=X, Y=Y, sample_weight=weight)
