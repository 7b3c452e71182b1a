# SPDX-License-Identifier: BSD-3-Clause
"""The compiled part of the build; all that can be declared is in pyproject.toml."""

import os
import re
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# One wheel for CPython 3.11 and every later version. Free-threaded builds have no such ABI yet.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

MSVC = ["/O2", "/std:c11", "/fp:precise", "/openmp"]
# No contraction: an FMA would change the bits. The other two change no result and let loops
# vectorize. Never -ffast-math or -Ofast: they reassociate, and set flush-to-zero at load.
# The alignment keeps a short loop in one line of code, wherever the linker puts it: the loop that
# packs strided float32 took 40 % longer across two.
# The scheduling before registers are allocated lays independent groups of lanes side by side: it is
# off by default on x86, and exp waits for latency without it. Clang schedules so anyway.
GCC = [
    "-std=c11",
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-falign-functions=64",
    "-falign-loops=64",
]
if sys.platform == "linux":
    GCC += ["-fschedule-insns", "-fsched-pressure"]
# The threads of src/platform/parallel.c: OpenMP, and on a Mac the system's own Dispatch.
THREADS = {"linux": ["-fopenmp"], "darwin": ["-DLOGREG_DISPATCH"]}.get(sys.platform, [])
# Python's own flags ask for debug information, 8 MB of it; only CFLAGS counts here.
DEBUG = [] if re.search(r"(^|\s)-g", os.environ.get("CFLAGS", "")) else ["-g0"]

CYTHON = "build/cython"
BINDING = f"{CYTHON}/logreg_c/_kernel.c"
# The binding only passes arguments on: calls take as long as with -O3, and compiling it a third.
BINDING_GCC = ["-O1"]


def one_by_one(compile_sources, cores, for_binding):
    """Return `compile_sources`, which takes its sources one after another, on several cores.

    Cython translates the binding on one of them, while the others compile the kernel.
    """

    def compile_one(source, extra_postargs, **settings):
        if source == BINDING:
            cythonize(["logreg_c/_kernel.pyx"], build_dir=CYTHON)
            extra_postargs = [*extra_postargs, *for_binding]
        return compile_sources([source], extra_postargs=extra_postargs, **settings)

    def compile_all(sources, **settings):
        with ThreadPoolExecutor(cores) as pool:
            objects = pool.map(lambda source: compile_one(source, **settings), sources)
            return [name for names in objects for name in names]

    return compile_all


class BuildExt(build_ext):
    """Which flags depends on the compiler, known only once the build runs."""

    def build_extensions(self):
        """Set the flags, then build."""
        msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = MSVC if msvc else GCC + THREADS + DEBUG
            extension.extra_link_args = [] if msvc else THREADS
        cores, for_binding = (1, []) if msvc else (os.cpu_count(), BINDING_GCC)
        self.compiler.compile = one_by_one(self.compiler.compile, cores, for_binding)
        super().build_extensions()


kernel = Extension(
    "logreg_c._kernel",
    # the binding and variants/ first: they take the longest, and would leave a core idle at the end
    sources=[BINDING, *sorted(glob("src/*/*.c"), reverse=True)],
    include_dirs=["src"],
    depends=sorted([*glob("src/**/*.h", recursive=True), *glob("logreg_c/*.p??")]),
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
    py_limited_api=LIMITED,
)

setup(
    ext_modules=[kernel],
    cmdclass={"build_ext": BuildExt},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
