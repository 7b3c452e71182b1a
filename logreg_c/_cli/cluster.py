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
from .streaming import FeatureBatches, Passes, features_of
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
        pieces = tables.pieces(source, recipe.as_text())
        of_files = dict(zip(source.parts, passes.of_files, strict=True))
        counts = [of_files[p.file] if p.rows is None else p.rows for p in pieces]
        self._chosen = np.split(rows, np.cumsum(counts)[:-1])
        made = [
            dask.delayed(partial(_made, _absolute(piece), recipe, chosen), pure=False)()
            for piece, chosen in zip(pieces, self._chosen, strict=True)
        ]
        self._X = client.compute(made)

    def _open(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        on_cluster = Distributed(
            self._client, self._X, coded=None, n_threads=None, by_features=False
        )
        weights = None if sample_weight is None else self._cut(sample_weight)
        return on_cluster.open_parts(self._cut(np.asarray(Y)), weights, dtype, names)

    def _cut(self, values: NDArray[Any]) -> list[Any]:
        """Return the values of the rows of each piece."""
        counts = [int(np.count_nonzero(chosen)) for chosen in self._chosen]
        return [dask.delayed(part) for part in np.split(values, np.cumsum(counts)[:-1])]


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


def _made(piece: Piece, recipe: Recipe, chosen: NDArray[np.bool_]) -> list[NDArray[Any]]:
    """Return the features of some rows of a piece."""
    pieces = list(features_of(_opened(piece, recipe.as_text()), recipe, chosen))
    if not pieces:
        return [np.empty(0)] * recipe.n_features
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]
