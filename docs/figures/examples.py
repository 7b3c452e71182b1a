# SPDX-License-Identifier: BSD-3-Clause
"""What the examples find, one picture each; the scripts in `examples` compute it."""

import contextlib
import io
import runpy

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, EXAMPLES, INK, NOTE, ORANGE, RED, save


def found_by(name: str) -> dict:
    """Run an example without its output; return its variables."""
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def bars(names: list[str], values: np.ndarray, title: str, xlabel: str) -> None:
    """Draw a bar to each side of 0 for each name, the largest value first."""
    places = np.arange(len(names))[::-1]
    plt.barh(places, values, 0.7, color=np.where(values > 0, ORANGE, BLUE))
    plt.yticks(places, names, fontsize=9)
    plt.tick_params(axis="y", length=0)
    plt.grid(visible=False, axis="y")
    plt.axvline(0, color=NOTE, linewidth=1)
    plt.title(title)
    plt.xlabel(xlabel)


flights = found_by("flights")
at = sorted(flights["carriers"], key=lambda j: -flights["w"][j, 0])
plt.figure(figsize=(7, 4))
carriers = [flights["names"][j].removeprefix("carrier ") for j in at]
title = "flights late by more than 15 minutes, by carrier"
bars(carriers, flights["w"][at, 0], title, "what the carrier adds to the log-odds")
save("flights")

digits = found_by("digits")
answer, right = digits["answer"], digits["right"][~digits["fit"]]
recognized = [np.flatnonzero((answer == digit) & (right == digit))[0] for digit in range(6)]
mistakes = np.flatnonzero(answer != right)[:6]
figure, axes = plt.subplots(2, 6, figsize=(7, 3))
for panel, k in zip(axes.flat, [*recognized, *mistakes], strict=True):
    panel.imshow(digits["X_test"][:, k].reshape(8, 8), cmap="gray_r")
    is_right = answer[k] == right[k]
    title = f"{answer[k]}" if is_right else f"{answer[k]}, not {right[k]}"
    panel.set_title(title, color=INK if is_right else RED, loc="center")
    panel.set_axis_off()
save("digits")

words = found_by("words")
order = np.argsort(-words["weight"])
best = [*order[:8], *order[-8:]]
plt.figure(figsize=(7, 4))
title = "compound statements (right) or special methods (left)?"
bars([words["words"][k] for k in best], words["weight"][best], title, "weight of the word")
save("words")
