# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks ready to use, for the parameter `callback` of `train`: one, or a list of them.

A callback is whatever can be called as ``callback(k, cost, w, b)``. A true return stops the
training, once those after it in the list have been called too. If it has these methods, they are
called as well:

``begin(training)``
    before the first iteration, with a `Training`;
``end()``
    after the last, also if an exception ends it, and in reverse order;
``state()`` and ``restore(state)``
    by `Checkpoint`: what it needs to go on, as a dict of arrays and numbers. A ValueError of
    ``restore`` says in what way the state is that of another training.
``settings``
    an attribute, a dict that JSON knows: `Checkpoint` refuses to resume with other ones.
"""

from logreg_c._solvers.training import Training

from .checkpoint import Checkpoint
from .early_stopping import EarlyStopping
from .progress import Progress

__all__ = ["Checkpoint", "EarlyStopping", "Progress", "Training"]
