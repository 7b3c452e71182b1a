# SPDX-License-Identifier: BSD-3-Clause
"""A path of LogisticRegressionCV: the loss held out from each fold, and the weights, by C."""

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, EXAMPLES, NOTE, ORANGE, save

from logreg_c.sklearn import LogisticRegressionCV

FILE = EXAMPLES / "breast_cancer.csv"
X = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=range(10))
y = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=30, dtype=str)
search = LogisticRegressionCV(
    Cs=np.logspace(-3, 4, 29),
    l1_ratios=(0,),
    scoring="neg_log_loss",
    standardize=True,
    use_legacy_attributes=False,
).fit(X, y)
losses = -search.scores_[:, 0]
weights = search.coefs_paths_[:, 0, :, 0, :-1].mean(axis=0) * X.std(axis=0)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6))
left.semilogx(search.Cs_, losses.T, color=NOTE, linewidth=0.8)
left.semilogx(search.Cs_, losses.mean(axis=0), color=BLUE)
left.annotate(
    "mean", (search.Cs_[2], losses.mean(axis=0)[2]), (4, 6), color=BLUE, textcoords="offset points"
)
left.set(xlabel="C", title="Loss held out, of each fold")
left.set_ylim(0.05, 0.4)
right.semilogx(search.Cs_, weights, color=BLUE, linewidth=1.0)
right.set(xlabel="C", title="Weights of the standardized features")
for axes in left, right:
    axes.axvline(search.C_, color=ORANGE, linestyle="--", linewidth=1.2)
left.annotate(
    f"best: C = {search.C_:.2g}",
    (search.C_, 0.37),
    (5, 0),
    color=ORANGE,
    textcoords="offset points",
)
save("cross_validation")
