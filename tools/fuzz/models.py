# SPDX-License-Identifier: BSD-3-Clause
"""Model k, from (seed, k) alone: valid arguments of one of many kinds, and what they mean."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse
from values import pick, relaid

KINDS = ("fit", "fit", "fit", "train", "fit_many", "fit_path", "inference", "inference")
NARROW = ("f4", "i1", "u1", "?", "f2")


class Model(NamedTuple):
    """A call, and the problem that it poses; `X` has a row for every feature."""

    name: str
    given: dict[str, Any]
    X: np.ndarray  # (n_x, m)
    Y: np.ndarray  # (m,): codes of the classes, or labels and probabilities
    v: np.ndarray  # (m,)
    k: int  # classes; 1 where there is one output
    factors: np.ndarray  # (n_x,), of the penalties
    lower: np.ndarray
    upper: np.ndarray
    features: list[str] | None  # the names of the features of a frame

    @property
    def intercept(self):
        return bool(self.given.get("intercept", True))

    @property
    def l1(self):
        return self.given.get("l1", 0.0) * self.factors

    @property
    def l2(self):
        return self.given.get("l2", 0.0) * self.factors

    @property
    def is_narrow(self):
        """Whether a search may begin in float32."""
        plain = not {"lower", "upper", "penalty_factors"} & self.given.keys()
        plain = plain and not np.any(self.given.get("l1", 0.0))
        return plain and self.k == 1 and self.features is None


# ---- X -------------------------------------------------------------------------------------------


def values(rng, n_x, m):
    """Return features of many kinds: independent, correlated, rare, alike, of any scale."""
    X = rng.standard_normal((n_x, m))
    kind = rng.integers(8)
    if kind == 0 and n_x:  # nearly collinear
        X = rng.standard_normal((n_x, n_x)) @ X + 10.0 ** rng.integers(-6, 0) * X
    elif kind == 1:
        X = np.round(X * 2)
    elif kind == 2:
        X = (rng.random((n_x, m)) < rng.random((n_x, 1)) ** 3).astype(float)
    elif kind == 3:
        X *= 10.0 ** rng.integers(-6, 7, (n_x, 1))
    elif kind == 4:
        X = np.exp(2 * X)
    elif kind == 5:
        X += 10.0 ** rng.integers(-1, 5, (n_x, 1))
    elif kind == 6:
        X /= rng.standard_normal(m) ** 2 + 0.01
    for _ in range(rng.integers(3)):  # a feature that is another, or constant
        if n_x > 1 and rng.random() < 0.3:
            j, other = rng.integers(n_x, size=2)
            X[j] = pick(rng, X[other], np.full(m, pick(rng, 0.0, 1.0, -3.5)))
    return X


def dense(rng, n_x, m):
    X = values(rng, n_x, m)
    dtype = pick(rng, "f8", "f8", "f4", "i1", "u1", "i4", "?")
    if np.dtype(dtype).kind != "f":
        X = np.clip(np.round(X), 0 if dtype in {"u1", "?"} else -100, 100)
    X = relaid(rng, X.astype(dtype))
    return list(X) if n_x and rng.random() < 0.2 else X, X.astype(float), None


def sparse(rng, n_x, m):
    X = values(rng, n_x, m) * (rng.random((n_x, m)) < pick(rng, 0.02, 0.1, 0.3, 0.9))
    if rng.random() < 0.3:
        X = np.sign(X).astype(pick(rng, "i1", "f4", "i8"))
    make = pick(rng, "csr_array", "csc_array", "csr_matrix", "csc_matrix")
    return getattr(scipy.sparse, make)(X), X.astype(float), None


def frame(rng, n_x, m):
    """Return a frame with columns of categories, some of which no row may have."""
    numbers = values(rng, min(n_x, int(rng.integers(4))), m)
    columns, features, rows = {}, [], list(numbers)
    for j, x in enumerate(numbers):
        columns[f"n{j}"] = x
        features.append(f"n{j}")
    for j in range(rng.integers(1, 4)):
        labels = [f"{chr(97 + k)}" for k in range(rng.integers(1, 9))]
        codes = (rng.random(m) ** pick(rng, 1, 4) * len(labels)).astype(int)
        columns[f"c{j}"] = pd.Categorical.from_codes(codes, labels)
        features += [f"c{j}={label}" for label in labels]
        rows += [(codes == k).astype(float) for k in range(len(labels))]
    made = pd.DataFrame(columns)
    if rng.random() < 0.4:
        enums = {name: pl.Enum(c.categories) for name, c in columns.items()
                 if isinstance(c, pd.Categorical)}  # fmt: skip
        as_text = {name: list(c) for name, c in columns.items()}
        made = pl.DataFrame(as_text, schema_overrides=enums)
    return made, np.array(rows).reshape(len(features), m), features


# ---- Y, weights, penalties -----------------------------------------------------------------------


def classes(rng, X, k):
    """Draw classes from a model of some strength; all numbers up to the largest mean something."""
    n_x, m = X.shape
    scale = X.std(axis=1, keepdims=True, mean=X.mean(axis=1, keepdims=True))
    unit = (X - X.mean(axis=1, keepdims=True)) / np.where(scale > 0, scale, 1)
    strength = pick(rng, 0, 0.5, 1, 2, 5, 30)
    W = rng.standard_normal((n_x, k)) * strength / math.sqrt(max(n_x, 1))
    Z = W.T @ unit + rng.standard_normal((k, 1)) * pick(rng, 0, 1, 3)
    return np.argmax(Z + rng.gumbel(size=(k, m)), axis=0)


def labels(rng, X):
    Y = classes(rng, X, 2)
    if rng.random() < 0.1:
        return np.clip(Y * 0.9 + rng.random(len(Y)) * pick(rng, 0.1, 0.001), 0, 1)
    return Y


def weights(rng, m):
    v = pick(rng, rng.integers(0, 4, m), rng.random(m) + 0.1, rng.integers(0, 2, m, bool),
             np.exp(2 * rng.standard_normal(m)), rng.integers(1, 3, m).astype("f4"))  # fmt: skip
    return v if v.any() else np.ones(m)


def penalties(rng, given, X, Y, *, penalized):
    """Choose penalties and, of one output, factors and bounds."""
    if rng.random() < 0.6:
        given["l2"] = float(10.0 ** rng.uniform(-8, 2))
    if not penalized:
        return
    slope = np.abs((X - X.mean(axis=1, keepdims=True)) @ (Y - Y.mean())).max(initial=0) / len(Y)
    if rng.random() < 0.7:
        given["l1"] = float(slope * pick(rng, 1.1, 0.5, 0.1, 0.01, 1e-4))
    n_x = len(X)
    if rng.random() < 0.3:
        given["penalty_factors"] = rng.integers(0, 3, n_x) * pick(rng, 1, 0.5)
    for name, sign in ("lower", -1.0), ("upper", 1.0):
        if rng.random() < 0.3:
            reach = rng.random(n_x) * pick(rng, 0, 0.1, 1, 10)
            reach[rng.random(n_x) < 0.3] = np.inf
            given[name] = pick(rng, 0.0, sign * reach)


def settings(rng, given, m):
    if rng.random() < 0.3:
        given["sample_weight"] = weights(rng, m)
    if rng.random() < 0.2:
        given["intercept"] = False
    if rng.random() < 0.3:
        given["n_threads"] = int(rng.integers(1, 5))


# ---- A call --------------------------------------------------------------------------------------


def size_of(rng):
    n_x, m = int(rng.integers(pick(rng, 2, 6, 12))), int(rng.integers(1, pick(rng, 9, 60, 300)))
    if rng.random() < 0.1:
        n_x, m = pick(rng, (2, 3000), (5, 9000), (40, 500), (64, 100), (70, 40), (130, 260))
    return n_x, m


def arguments_of(rng, name, given, X, Y, k):
    """Add what one function takes."""
    m = X.shape[1]
    settings(rng, given, m)
    if name == "train":
        given.pop("intercept", None)
        given |= {"alpha": pick(rng, 0.01, 0.1, 1.0), "iters": int(rng.integers(1, 4))}
        given["l2"] = pick(rng, 0.0, 0.1)
        return
    penalized = k == 1 and name in {"fit", "fit_path"} and rng.random() < 0.6
    penalties(rng, given, X, Y, penalized=penalized)
    if name in {"fit", "fit_many", "fit_path"}:
        given["tol"] = pick(rng, 1e-9, 1e-9, 1e-6, 1e-3, 1e-12)
    if name == "fit" and rng.random() < 0.1:
        given["b"] = float(rng.standard_normal()) if k == 1 else rng.standard_normal(k)
    if name == "fit" and rng.random() < 0.1:
        given["w"] = rng.standard_normal((len(X), k)) / (1 + np.abs(X).max(axis=1, keepdims=True))
    count = int(rng.integers(2, 5))
    if name == "fit_many":
        way = rng.integers(3)
        if way == 0:
            given["Y"] = np.array([np.roll(Y, 7 * i) for i in range(count)])
        elif way == 1:
            given["sample_weight"] = [weights(rng, m) for _ in range(count)]
        else:
            given["l2"] = 10.0 ** rng.uniform(-4, 1, count)
    if name == "fit_path":
        strength = 10.0 ** -np.sort(rng.uniform(0, 3, count))
        given["l2"] = given.get("l2", 0.0) * strength if rng.random() < 0.5 else strength
        if penalized:
            given["l1"] = given.get("l1", 0.1) * strength
    if name == "inference" and rng.random() < 0.4:
        given["robust"] = pick(rng, "HC0", "HC1")
    elif name == "inference" and rng.random() < 0.2:
        given["clusters"] = rng.integers(0, 1 + m // 2, m)


def model(seed, index):
    """Return model `index`."""
    rng = np.random.default_rng([seed, index, 17])
    name = pick(rng, *KINDS)
    n_x, m = size_of(rng)
    several = name == "train" or (name in {"fit", "inference"} and rng.random() < 0.4)
    forms = [dense, dense]
    forms += [sparse] * (name != "inference")
    forms += [frame] * (not several)
    shown, X, features = pick(rng, *forms)(rng, n_x, m)
    n_x = len(X)
    k = int(rng.integers(3, 6)) if several else 1
    Y = classes(rng, X, k) if several else labels(rng, X)
    if several:
        k = max(int(Y.max()) + 1, 1)
        if k < 3:
            k, Y = 1, np.minimum(Y, 1)
    given = {"X": shown, "Y": Y}
    arguments_of(rng, name, given, X, Y, k)
    v = given.get("sample_weight")
    v = np.ones(m) if v is None or isinstance(v, list) else np.asarray(v, float)
    of_features = [np.broadcast_to(np.asarray(given.get(argument, default), float), (n_x,))
                   for argument, default in (("penalty_factors", 1.0), ("lower", -np.inf),
                                             ("upper", np.inf))]  # fmt: skip
    return Model(name, given, X, np.asarray(Y), v, k, *of_features, features)
