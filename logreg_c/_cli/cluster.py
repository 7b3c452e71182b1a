# SPDX-License-Identifier: BSD-3-Clause
"""`--dask`: files whose pieces the workers of a Dask cluster read."""

import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import dask
import numpy as np
from distributed import CancelledError, Client, Future
from distributed.comm import get_address_host_port
from numpy.typing import NDArray

from logreg_c.dask import ClusterError
from logreg_c.dask._problem import Distributed
from logreg_c.dask._workers import awaited

from . import tables
from .errors import Failure, refuse
from .recipes import Recipe
from .streaming import FeatureBatches, Passes, SomeRows, features_of
from .tables import Piece, Rows, Source

Work = Callable[[Rows], Iterator[Any]]  # makes something of each batch
ANSWER = 10.0  # seconds that a scheduler has, to begin with


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler, and say in one line what is wrong with the cluster."""
    try:
        get_address_host_port(address)  # without a port, a client would end in 20 s and a traceback
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        refuse(
            f"--dask {address}: no scheduler answers ({error or type(error).__name__}); correct the"
            " address, as in tcp://HOST:8786, or start one by `dask scheduler`"
        )
    with client:
        if not client.nthreads():
            refuse(f"--dask {address}: there are no workers; start some by `dask worker {address}`")
        try:
            yield client
        except (ClusterError, CancelledError) as error:
            msg = f"--dask {address}: {error}"
            raise Failure(msg) from None


class FeaturesOnWorkers(FeatureBatches):
    """X of some rows of files, of which each piece is a partition on a worker."""

    n_threads = 1  # each thread of a worker has a piece

    def __init__(
        self,
        client: Client,
        source: Source,
        recipe: Recipe,
        rows: NDArray[np.bool_],
        passes: Passes,
    ) -> None:
        super().__init__(source, recipe, rows, passes)
        self._client = client
        self._pieces = pieces = tables.pieces(source, recipe.as_text())
        of_files = dict(zip(source.parts, passes.of_files, strict=True))
        counts = [of_files[p.file] if p.rows is None else p.rows for p in pieces]
        self._masks = chosen = np.split(rows, np.cumsum(counts)[:-1])
        self._counts = [int(np.count_nonzero(here)) for here in chosen]
        made = [
            dask.delayed(partial(_made, _absolute(piece), recipe, here), pure=False)()
            for piece, here in zip(pieces, chosen, strict=True)
        ]
        self._X = client.compute(made)

    def made(self, work: Callable[..., Iterator[Any]], *of_rows: NDArray[Any]) -> Iterator[Any]:
        """Have the workers do what `FeatureBatches.made` does here, each for its pieces."""
        of_pieces = zip(self._masks, *map(self._cut, of_rows), strict=True)
        works = [partial(work, *arguments) for arguments in of_pieces]
        for found in worked(self._client, self._pieces, self._recipe.as_text(), works):
            yield from found

    def _cut(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(values, np.cumsum(self._counts)[:-1])

    def some(self, chosen: NDArray[np.bool_]) -> "SomeRowsOnWorkers":
        """Return some of these rows, which stay on their workers."""
        masks = self._cut(chosen)
        return SomeRowsOnWorkers(self, chosen, self._client, self._X, masks)

    def _open(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        given = Y, sample_weight, dtype, names
        return _opened_on_workers(self._client, self._X, self._counts, *given)


class SomeRowsOnWorkers(SomeRows):
    """X of some rows of partitions on workers, such as those of a fold."""

    def __init__(
        self,
        others: FeaturesOnWorkers,
        chosen: NDArray[np.bool_],
        client: Client,
        X: list[Future],
        masks: list[NDArray[np.bool_]],
    ) -> None:
        super().__init__(others, chosen)
        self._client, self._X, self._masks = client, X, masks

    def open_parts(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        """Choose the rows on the workers."""
        choose = dask.delayed(_some_of, pure=False)
        X = [choose(part, mask) for part, mask in zip(self._X, self._masks, strict=True)]
        counts = [int(np.count_nonzero(mask)) for mask in self._masks]
        given = Y, sample_weight, dtype, names
        return _opened_on_workers(self._client, X, counts, *given)


def _opened_on_workers(
    client: Client,
    X: list[Any],
    counts: list[int],
    Y: Any,
    sample_weight: Any,
    dtype: Any,
    names: Any,
) -> Any:
    """Return the parts of partitions that have so many rows."""

    def cut(values: NDArray[Any]) -> list[Any]:
        return [dask.delayed(part) for part in np.split(values, np.cumsum(counts)[:-1])]

    on_cluster = Distributed(client, X, coded=None, n_threads=None, by_features=False)
    weights = None if sample_weight is None else cut(sample_weight)
    return on_cluster.open_parts(cut(np.asarray(Y)), weights, dtype, names)


def worked(
    client: Client, pieces: Sequence[Piece], columns: dict[str, Any], works: Sequence[Work]
) -> Iterator[list[Any]]:
    """Yield what is made of the batches of each piece, in order; a few are under way at a time."""
    most = 1 + sum(client.nthreads().values())
    waiting: deque[Future] = deque()
    for piece, work in zip(pieces, works, strict=True):
        waiting.append(client.submit(_worked, _absolute(piece), columns, work, pure=False))
        if len(waiting) > most:
            yield awaited(client, waiting.popleft().result)
    while waiting:
        yield awaited(client, waiting.popleft().result)


# ---- On the workers ------------------------------------------------------------------------------


def _absolute(piece: Piece) -> Piece:
    return piece._replace(file=replace(piece.file, path=piece.file.path.absolute()))


def _opened(piece: Piece, columns: dict[str, Any]) -> Rows:
    """Return the batches of a piece, on a worker."""
    if not piece.file.path.is_file():
        refuse(
            f"{piece.file}: the worker on {socket.gethostname()} cannot open {piece.file.path};"
            " expected a path at which all workers find the file"
        )
    return tables.batches_of(piece, columns)


def _worked(piece: Piece, columns: dict[str, Any], work: Work) -> list[Any]:
    return list(work(_opened(piece, columns)))


def _some_of(X: list[NDArray[Any]], chosen: NDArray[np.bool_]) -> list[NDArray[Any]]:
    return [x[chosen] for x in X]


def _made(piece: Piece, recipe: Recipe, chosen: NDArray[np.bool_]) -> list[NDArray[Any]]:
    """Return the features of some rows of a piece."""
    pieces = list(features_of(_opened(piece, recipe.as_text()), recipe, chosen))
    if not pieces:
        return [np.empty(0)] * recipe.n_features
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]
