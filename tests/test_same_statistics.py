# SPDX-License-Identifier: BSD-3-Clause
"""inference, fit_many and Firth's penalty have one hash, on every instruction set and CPU."""

import os
import subprocess
import sys

import pytest

import logreg_c

# Integers alone make the data, so that every machine and every NumPy has the same.
HASHES = """
import hashlib, sys, warnings
import numpy as np, logreg_c
warnings.simplefilter("ignore")

def digest_of(n_threads):
    digest = hashlib.sha256()
    at = {"n_threads": n_threads}
    for n_x, m, dtype in ((1, 60, "f8"), (7, 3000, "f4"), (40, 900, "i2"), (70, 5000, "f8")):
        k = np.arange(n_x * m, dtype=np.uint64).reshape(n_x, m)
        hashed = k * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        hashed >>= np.uint64(45)
        X = (hashed % np.uint64(2001)).astype(dtype) - np.dtype(dtype).type(700)
        noise = (hashed[0] % np.uint64(1931)).astype(float) * 2.0
        Y = X[0] + np.roll(noise, 7) > 1900
        weights = 1 + np.arange(m) % 4
        for x in (X, np.asfortranarray(X)):
            many = logreg_c.fit_many(x, Y, groups=np.arange(m) % 3, l2=1e-3, **at)
            for found in (many.w, many.b, many.cost, many.gap, many.passes):
                digest.update(found.tobytes())
            w, b, costs = logreg_c.fit(x, Y, l2=1e-3, sample_weight=weights, **at)
            digest.update(w.tobytes() + np.float64(b).tobytes() + costs.tobytes())
            for kind in ({}, {"robust": "HC0"}, {"robust": True}, {"clusters": np.arange(m) % 11}):
                found = logreg_c.inference(x, Y, w, b, l2=1e-3, sample_weight=weights, **kind, **at)
                digest.update(found.covariance.tobytes() + found.z.tobytes())
                digest.update(np.float64(found.log_likelihood).tobytes())
            if n_x < 50:
                w, b, costs = logreg_c.fit(x, Y, firth=True, max_passes=6, **at)
                digest.update(w.tobytes() + np.float64(b).tobytes() + costs.tobytes())
                found = logreg_c.inference(x, Y, w, b, firth=True, **at)
                digest.update(found.covariance.tobytes())
    return digest.hexdigest()

for n_threads in map(int, sys.argv[1:]):
    print(digest_of(n_threads))
"""
EXPECTED = "8cb703a5c70d5fe0336a5e8b8971820415f7dab6445fc52e4648e48aa829b3dc"


def hashes(isa, *n_threads):
    ended = subprocess.run(
        [sys.executable, "-P", "-c", HASHES, *map(str, n_threads)],
        env={**os.environ, "LOGREG_C_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ended.stdout.split())


@pytest.mark.long
def test_one_hash():
    assert hashes("", 2) == {EXPECTED}


@pytest.mark.long
@pytest.mark.parametrize("n_threads", [(1, 2, 3, 4), (5, 6, 7, 8)])
@pytest.mark.parametrize("isa", [n for n, runs in logreg_c._kernel.isa_known().items() if runs])
def test_every_instruction_set_and_number_of_threads_gives_it(isa, n_threads):
    assert hashes(isa, *n_threads) == {EXPECTED}
