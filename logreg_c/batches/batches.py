# SPDX-License-Identifier: BSD-3-Clause
"""Batches, as a user makes them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from logreg_c import _input
from logreg_c._outputs import labels_of, outputs_of, threshold_for

from .columns import NO_ROWS, Reader, naming_rows_of, without_names
from .parts import PartsOfBatches

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from logreg_c._parts import Source


NAMELESS = (
    "X has columns of categories, and w has no names of these; expected w as fit and train return "
    "it, or with_names(w, names)"
)


class Batch(NamedTuple):
    """Some rows as they are read, and where they come from."""

    rows: Any
    file: str | None = None
    first: int = 0  # of the rows of the file


class Batches:
    """Examples that are read in batches, in the same order for every pass.

    `train`, `fit`, `inference` and the predictions take them as X. They hold a few batches at a
    time; `fit` also holds a sample of the rows, as a rule 2^25 values at most.

    Parameters
    ----------
    read : callable
        Returns a new iterator over batches each time it is called. A batch is a data frame, a dict
        of columns, or an array of shape (rows, n_x). All batches have the same columns, of the same
        types. Arrays have no names, so Y is then an array of all labels.
    columns : sequence of str, optional
        The features, in this order; by default all columns that are neither Y nor sample_weight.
    cache : path-like, optional
        A file to which the first pass writes the features, from which later passes read them as
        fast as the disk allows. It takes as much space as the columns do in memory.

    Raises
    ------
    TypeError
        `read` cannot be called.

    See Also
    --------
    from_files : batches of files.
    from_array : batches of an array of HDF5 or Zarr.
    from_stream : batches of what has an Arrow stream.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> def read():
    ...     rng = np.random.default_rng(0)
    ...     for _ in range(10):
    ...         X = rng.normal(size=(2, 1000))
    ...         yield {"age": X[0], "size": X[1], "bought": X[0] > 0.5 * rng.normal(size=1000)}
    >>> result = logreg_c.fit(logreg_c.batches.Batches(read), "bought")
    >>> result.feature_names, result.converged
    (('age', 'size'), True)
    """

    __module__ = "logreg_c.batches"

    def __init__(
        self,
        read: Callable[[], Iterable[Any]],
        *,
        columns: Iterable[str] | None = None,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        if not callable(read):
            msg = (
                f"read is of type {type(read).__name__}; expected a function that returns a new "
                "iterator over batches for every pass: an iterator can be read once only"
            )
            raise TypeError(msg)
        self._read = read
        self.columns = None if columns is None else tuple(columns)
        self.cache = None if cache is None else Path(cache)

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return False

    def names(self) -> tuple[str, ...] | None:
        """Return the names of all columns, if they are known before the first batch."""
        return None

    def identity(self) -> Any:
        """Return what changes when the data do, in types that JSON has; None if nobody knows."""
        return None

    def read(self, columns: tuple[str, ...] | None) -> Iterator[Batch]:
        """Read all batches, with at least these columns, if they have names."""
        del columns
        return map(Batch, self._read())

    def open_parts(
        self,
        Y: ArrayLike | str,
        sample_weight: ArrayLike | str | None,
        dtype: DTypeLike | None,
        names: tuple[str, ...] | None,
    ) -> Source:
        """Read everything once, to check it and to count the rows.

        `names` are the features that earlier weights have.
        """
        return PartsOfBatches(self, Y, sample_weight, dtype, names)

    def of_columns(self, names: tuple[str, ...] | None) -> Batches:
        """Return the same batches with these columns as the features."""
        batches = copy.copy(self)
        batches.columns = names
        return batches

    def values(self, names: tuple[str, ...]) -> list[NDArray[Any]]:
        """Return columns as arrays in memory, as they are: labels may be text."""
        pieces: list[list[Any]] = []
        for batch in self.read(names):
            if isinstance(batch.rows, np.ndarray):
                raise TypeError(without_names(names[0]))
            try:
                pieces.append([np.asarray(batch.rows[name]) for name in names])
            except KeyError as error:
                msg = f"there is no column {error}; expected all of {', '.join(map(repr, names))}"
                raise ValueError(msg) from None
        if not pieces:
            raise ValueError(NO_ROWS)
        return [np.concatenate(column) for column in zip(*pieces, strict=True)]

    def features(self, targets: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the names of the features: all columns but `targets`, unless chosen."""
        names = self.columns or self.names()
        if names is None:
            rows = next((batch.rows for batch in self.read(None)), np.empty(0))
            if isinstance(rows, np.ndarray):
                return None
            names = tuple(rows) if isinstance(rows, dict) else _input.names_of_frame(rows)
        return tuple(name for name in names if name not in targets)

    def outputs(
        self, w: Any, b: Any, *, probabilities: bool, dtype: DTypeLike, n_threads: int | None
    ) -> Iterator[NDArray[np.float64]]:
        """Yield A, or else Z, of shape (1, rows) or (K, rows), of each batch that has rows."""
        reader = Reader(self, getattr(w, "feature_names", None), None, None, unseen=True)
        for batch, arrays in reader.read():
            X, shape = reader.values_of(arrays), (reader.n_x, len(arrays[0]))
            examples = _input.Examples(X, shape, _input.in_float32(X, dtype), reader.names)
            major = reader.is_matrix and reader.n_x > 1
            with naming_rows_of(batch):
                if reader.starts is None and reader.n_numbers < reader.n_arrays:
                    raise ValueError(NAMELESS)
                yield outputs_of(
                    *(examples, w, b),
                    probabilities=probabilities,
                    n_threads=n_threads,
                    example_major=major,
                )

    def predict_proba(
        self,
        w: ArrayLike,
        b: ArrayLike,
        *,
        dtype: DTypeLike = np.float64,
        n_threads: int | None = None,
    ) -> Iterator[NDArray[np.float64]]:
        """Yield the probabilities of label 1 for the rows of each batch.

        Parameters
        ----------
        w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K) with K classes
            Weights. Those that were trained on named columns take them by name. Other weights take
            `columns`, or else all columns, in their order.
        b : float, or array_like of shape (K, 1) or (K,)
            Bias.
        dtype : dtype, optional
            The type to compute in: float64, or float32, which is faster for the types that it can
            hold.
        n_threads : int, optional
            The largest number of threads, >= 1; by default OpenMP's.

        Yields
        ------
        ndarray of shape (rows,) or (K, rows)
            A, within [0, 1]; with K classes a row for each. There is none for a batch without rows.

        Examples
        --------
        >>> import logreg_c
        >>> X = logreg_c.batches.Batches(lambda: [{"x": [-2.0, 0.0]}, {"x": [2.0]}])
        >>> [A.round(3).tolist() for A in X.predict_proba([1.0], 0.0)]
        [[0.119, 0.5], [0.881]]
        """
        for A in self.outputs(w, b, probabilities=True, dtype=dtype, n_threads=n_threads):
            yield A[0] if len(A) == 1 else A

    def predict(
        self,
        w: ArrayLike,
        b: ArrayLike,
        *,
        threshold: float = 0.5,
        dtype: DTypeLike = np.float64,
        n_threads: int | None = None,
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the labels of the rows of each batch: 1 where the probability > threshold, else 0.

        Parameters
        ----------
        w, b, dtype, n_threads
            As for `predict_proba`.
        threshold : float, optional
            The probability within [0, 1] above which a row gets label 1.

        Yields
        ------
        ndarray of shape (rows,)
            Labels 0 and 1; with K classes that of the largest probability, 0 to K - 1.

        Examples
        --------
        >>> import logreg_c
        >>> X = logreg_c.batches.Batches(lambda: [{"x": [-2.0, 0.0]}, {"x": [2.0]}])
        >>> [labels.tolist() for labels in X.predict([1.0], 0.0)]
        [[0, 0], [1]]
        """
        limit = threshold_for(w, b, threshold)
        found = self.outputs(
            w, b, probabilities=limit is not None, dtype=dtype, n_threads=n_threads
        )
        for out in found:
            yield labels_of(out, limit)[0]

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to be read as an array, by a function that reads no batches."""
        msg = (
            "only train, fit, fit_path, l1_max, inference, cost_and_gradient, predict_proba, "
            "predict and the estimator LogisticRegression read batches"
        )
        raise TypeError(msg)
