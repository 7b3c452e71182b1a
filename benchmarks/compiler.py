# SPDX-License-Identifier: BSD-3-Clause
"""Compile C, for the benchmarks that need a few lines of it."""

import os
import subprocess
from pathlib import Path


def compile_c(output: Path, sources: list[Path], *flags: str) -> None:
    """Compile `sources` into the program or library `output`, with $CC or cc."""
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O3", *flags, "-o", output, *sources]
    subprocess.run(command, check=True)
