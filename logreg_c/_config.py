# SPDX-License-Identifier: BSD-3-Clause
"""Which kernel runs: chosen once at import, shown on request."""

from __future__ import annotations

import os

from . import _kernel
from ._cpus import default_threads


def select_isa() -> None:
    """Use the instruction set that LOGREG_C_ISA names, or else the best that this CPU has."""
    name = os.environ.get("LOGREG_C_ISA", "")
    if not _kernel.isa_select(name):
        known = _kernel.isa_known()
        usable = ", ".join(isa for isa, here in known.items() if here)
        what = "this CPU lacks" if name in known else "is not one of this build's instruction sets"
        msg = f"LOGREG_C_ISA={name!r} {what}; set it to one of: {usable}, or unset it"
        raise ImportError(msg)


def show_config() -> dict[str, object]:
    """Tell what a report about speed or a crash should say.

    Returns
    -------
    dict
        version : str
            Of logreg_c.
        isa : str
            The instruction set in use.
        isa_available : list of str
            Those that this machine can run; the environment variable ``LOGREG_C_ISA``, read at
            import, chooses one.
        threads : int
            The threads used where `n_threads` is None: OpenMP's number (``OMP_NUM_THREADS``, the
            process's CPUs, threadpoolctl), and without ``OMP_NUM_THREADS`` no more than the
            container's CPU quota. With Dispatch ``OMP_NUM_THREADS``, or the machine's CPUs.
        threads_backend : str
            What runs them: "openmp" (Linux, Windows), "dispatch" (macOS), or "serial" for none.

    Examples
    --------
    >>> import logreg_c
    >>> list(logreg_c.show_config())
    ['version', 'isa', 'isa_available', 'threads', 'threads_backend']
    """
    from . import __version__  # noqa: PLC0415 (the package is still being imported above)

    return {
        "version": __version__,
        "isa": _kernel.isa(),
        "isa_available": [isa for isa, here in _kernel.isa_known().items() if here],
        "threads": default_threads(),
        "threads_backend": _kernel.threads_backend(),
    }
