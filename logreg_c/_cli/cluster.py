# SPDX-License-Identifier: BSD-3-Clause
"""`--dask`: files whose rows the workers of a Dask cluster read, and keep for every pass."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import dask
import numpy as np
from distributed import Client
from distributed.comm import get_address_host_port
from numpy.typing import NDArray

from logreg_c.dask import ClusterError
from logreg_c.dask._problem import Distributed

from . import tables
from .errors import Failure, refuse
from .recipes import Recipe
from .streaming import FeatureBatches, Passes, features_of
from .tables import Source

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
        except ClusterError as error:
            msg = f"--dask {address}: {error}"
            raise Failure(msg) from None


class FeaturesOnWorkers(FeatureBatches):
    """X of some rows of files, of which each is a partition on a worker."""

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
        self._chosen = np.split(rows, np.cumsum(passes.of_files)[:-1])
        made = [
            dask.delayed(partial(_made, _absolute(part), recipe, chosen), pure=False)()
            for part, chosen in zip(source.parts, self._chosen, strict=True)
        ]
        self._X = client.compute(made)

    def _open(self, Y: Any, sample_weight: Any, dtype: Any, names: Any) -> Any:
        on_cluster = Distributed(
            self._client, self._X, coded=None, n_threads=None, by_features=False
        )
        weights = None if sample_weight is None else self._cut(sample_weight)
        return on_cluster.open_parts(self._cut(np.asarray(Y)), weights, dtype, names)

    def _cut(self, values: NDArray[Any]) -> list[Any]:
        """Return the values of the rows of each file."""
        counts = [int(np.count_nonzero(chosen)) for chosen in self._chosen]
        return [dask.delayed(part) for part in np.split(values, np.cumsum(counts)[:-1])]


def _absolute(part: Source) -> Source:
    return replace(part, path=part.path.absolute())


def _made(part: Source, recipe: Recipe, chosen: NDArray[np.bool_]) -> list[NDArray[Any]]:
    """Return the features of some rows of a file, on a worker."""
    if not part.path.is_file():
        refuse(
            f"{part}: the worker on {socket.gethostname()} cannot open {part.path}; expected a path"
            " at which all workers find the file"
        )
    pieces = []
    if chosen.any():  # a file without rows is refused if it is read alone
        pieces = list(features_of(tables.batches(part, recipe.as_text()), recipe, chosen))
    if not pieces:
        return [np.empty(0)] * recipe.n_features
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]
