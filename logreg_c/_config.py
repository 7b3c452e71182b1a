# SPDX-License-Identifier: BSD-3-Clause
"""Choose the kernel once at import, and report the configuration."""

from __future__ import annotations

import os

from . import _kernel
from ._threads import default_threads
from ._version import __version__


def select_isa() -> None:
    """Use the instruction set in LOGREG_C_ISA, or else the best one that this CPU supports."""
    name = os.environ.get("LOGREG_C_ISA", "")
    if not _kernel.isa_select(name):
        known = _kernel.isa_known()
        usable = ", ".join(isa for isa, here in known.items() if here)
        what = "this CPU lacks" if name in known else "is not one of this build's instruction sets"
        msg = f"LOGREG_C_ISA={name!r} {what}; set it to one of: {usable}, or unset it"
        raise ImportError(msg)


def show_config() -> dict[str, object]:
    """Report the configuration, as needed for a report about speed or a crash.

    Returns
    -------
    dict
        version : str
            The version of logreg_c.
        isa : str
            The instruction set in use.
        isa_available : list of str
            The instruction sets that this machine can run. To choose one, set the environment
            variable ``LOGREG_C_ISA`` before the import.
        threads : int
            The number of threads used if `n_threads` is None. With OpenMP this is OpenMP's own
            number (from ``OMP_NUM_THREADS``, the CPUs available to the process, or
            threadpoolctl); without ``OMP_NUM_THREADS``, it is capped by the container's CPU quota.
            With Dispatch it is ``OMP_NUM_THREADS``, or else the number of CPUs.
        threads_backend : str
            What runs the threads: "openmp" (Linux, Windows), "dispatch" (macOS), or "serial"
            (no threads).

    Examples
    --------
    >>> import logreg_c
    >>> list(logreg_c.show_config())
    ['version', 'isa', 'isa_available', 'threads', 'threads_backend']
    """
    return {
        "version": __version__,
        "isa": _kernel.isa(),
        "isa_available": [isa for isa, here in _kernel.isa_known().items() if here],
        "threads": default_threads(),
        "threads_backend": _kernel.threads_backend(),
    }
