# SPDX-License-Identifier: BSD-3-Clause
"""The compiled part of the build; all that can be declared is in pyproject.toml."""

import sys
import sysconfig
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# One wheel for CPython 3.11 and every later version. Free-threaded builds have no such ABI yet.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

MSVC = ["/O2", "/std:c11", "/fp:precise", "/openmp"]
# No contraction: an FMA would change the bits. The other two change no result and let loops
# vectorise. Never -ffast-math or -Ofast: they reassociate, and set flush-to-zero at load.
GCC = [
    "-std=c11",
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
]
# The threads of src/platform/parallel.c: OpenMP, and on a Mac the system's own Dispatch.
THREADS = {"linux": ["-fopenmp"], "darwin": ["-DLOGREG_DISPATCH"]}.get(sys.platform, [])


class BuildExt(build_ext):
    """Which flags depends on the compiler, known only once the build runs."""

    def build_extensions(self):
        """Set the flags, then build."""
        msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = MSVC if msvc else GCC + THREADS
            extension.extra_link_args = [] if msvc else THREADS
        super().build_extensions()


kernel = Extension(
    "logreg_c._kernel",
    sources=["logreg_c/_kernel.pyx", *sorted(glob("src/*/*.c"))],
    include_dirs=["src"],
    depends=sorted(glob("src/**/*.h", recursive=True)),
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
    py_limited_api=LIMITED,
)

setup(
    ext_modules=cythonize([kernel], build_dir="build/cython"),
    cmdclass={"build_ext": BuildExt},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
