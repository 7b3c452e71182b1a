# SPDX-License-Identifier: BSD-3-Clause
"""Recognize handwritten digits, from pixels of one byte.

Ten models, each of which separates one digit from the rest, share one uint8 X. `train` reads it in
place and never converts it to a matrix of floats. The answer is the digit whose model gives the
highest probability. scikit-learn ships the data: 1797 images of 8 x 8 pixels, with values from 0 to
16.
"""

import numpy as np
from sklearn.datasets import load_digits

import logreg_c

digits = load_digits()
X = np.ascontiguousarray(digits.data.T.astype(np.uint8))  # (64, 1797): one image per column
right = digits.target
print(f"X: {X.shape} {X.dtype}, {X.nbytes:,} bytes; as float64 it would be {8 * X.size:,}")

fit = np.arange(X.shape[1]) % 5 > 0  # hold out every fifth image
X_fit, X_test = X[:, fit], X[:, ~fit]

A = np.empty((10, X_test.shape[1]))
for digit in range(10):
    w, b, costs = logreg_c.train(
        X_fit, right[fit] == digit, alpha=0.3, iters=500, l2=1e-3, standardize=True
    )
    A[digit] = logreg_c.predict_proba(X_test, w, b)
    print(f"{digit}: cost {costs[0]:.4f}, then {costs[-1]:.4f}")

answer = A.argmax(axis=0)
print(f"{np.mean(answer == right[~fit]):.1%} of {answer.size} held-out images recognized correctly")

wrong = int(np.flatnonzero(answer != right[~fit])[0])
print(f"the first mistake: a {right[~fit][wrong]} recognized as a {answer[wrong]}")
for row in X_test[:, wrong].reshape(8, 8):
    print("  " + "".join(" .:-=+*#@"[pixel // 2] * 2 for pixel in row))
