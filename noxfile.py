# SPDX-License-Identifier: BSD-3-Clause
"""The long checks, one session each: `nox -l` lists them, `nox -s NAME` runs one.

Each session is named after what it shows, and fails unless that holds. docs/testing.md has the
results of the last runs. Sessions pass files to each other in dist/.
"""

import hashlib
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.4.10"
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True  # a check that did not run has not passed
nox.options.sessions = ["wheel"]

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PYPROJECT = nox.project.load_toml("pyproject.toml")
CIBUILDWHEEL = PYPROJECT["tool"]["cibuildwheel"]

AS_ROOT = ["sudo"] if getattr(os, "getuid", int)() else []  # Windows has none
RELEASED_FROM = {"git status --porcelain": "", "git branch --show-current": "main"}
# What each environment has in addition to the core, as "extra+library".
EXTRAS = ["", "+pandas", "frames+pandas", "frames+polars", "frames+pyarrow", "progress", "cli"]


def install_group(session, group):
    """Install the packages that a dependency group in pyproject.toml pins."""
    session.install(*nox.project.dependency_groups(PYPROJECT, group))


def build_wheel(session, sdist, folder):
    """Build and repair the wheel of this Python as cibuildwheel does; return its path."""
    raw = Path(session.create_tmp()) / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    build = ["python", "-m", "build", "--wheel", "--outdir", raw, sdist]
    environment = CIBUILDWHEEL["environment"]
    session.run(*build, env=environment, silent=True)
    (built,) = raw.iterdir()
    repair = CIBUILDWHEEL["linux"]["repair-wheel-command"]
    session.run(*repair.format(dest_dir=folder, wheel=built).split(), env=environment, silent=True)
    (repaired,) = folder.iterdir()
    return repaired


def copy_tests(session, place):
    """Copy the suite to a folder without the package's sources, and change to it."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in CIBUILDWHEEL["test-sources"]:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (place / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, place / name)
    session.chdir(place)


def run_suite(session, package, *arguments, python="python", env=None, pinned=()):
    """Install `package` and run its suite, with `env`, in a folder without its sources."""
    session.env.update(CIBUILDWHEEL["test-environment"])
    install = [python, "-m", "pip", "install", "--quiet"]
    without_gil = "import sysconfig; print(bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
    if session.run(python, "-c", without_gil, silent=True).strip() == "True":
        (settings,) = (o for o in CIBUILDWHEEL["overrides"] if o["select"] == "*t-*")
    else:
        settings = CIBUILDWHEEL
    package = f"{package}[{','.join(settings['test-extras'])}]"
    session.run(*install, package, *settings.get("test-requires", []), *pinned)
    copy_tests(session, Path(session.create_tmp()) / "tests")
    command = shlex.split(settings["test-command"])
    session.run(python, "-P", "-m", *command, *arguments, env=env)


@nox.session
def wheel(session):
    """Build the sdist and, from it, the abi3 wheel; audit the wheel; leave both in dist/."""
    install_group(session, "release")
    session.run("python", ".ci/wheels.py", "config")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", "--sdist", "--outdir", DIST, silent=True)
    (sdist,) = DIST.iterdir()
    built = build_wheel(session, sdist, DIST / "wheel")
    session.run("python", ".ci/wheels.py", "check", built)
    session.run("abi3audit", "--strict", "--report", built)
    session.run("twine", "check", "--strict", sdist, built)


@nox.session(python=["3.11", "3.12", "3.13"], requires=["wheel"])
def suite(session):
    """Run the suite with the same wheel on each Python here, away from the sources."""
    (built,) = DIST.glob("wheel/*.whl")
    run_suite(session, built, *session.posargs)


@nox.session(venv_backend="none", requires=["wheel"])
@nox.parametrize("version", [nox.param(version, id=version) for version in ("3.14", "3.15")])
def newer(session, version):
    """Run the suite with the same wheel on the next Debian's Pythons and C library."""
    debian(session, "mmdebstrap", "debian-archive-keyring", "patchelf")
    system = ROOT / ".nox" / f"debian-python{version}"
    python = system / "usr" / "bin" / f"python{version}"
    if not system.exists():
        fetch = ["mmdebstrap", "--variant=extract", f"--include=python{version}-venv"]
        # The lists are signed, and good enough if a mirror lags behind.
        fetch += ["--aptopt=Acquire::Check-Valid-Until false", "forky", system]
        session.run(*AS_ROOT, *fetch, external=True)
        (loader,) = (system / "usr").glob("lib*/ld-linux-*.so.*")
        (libraries,) = (system / "usr" / "lib").glob("*-linux-gnu")
        settings = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries]
        session.run(*AS_ROOT, "patchelf", *settings, python, external=True)
    venv = Path(session.create_tmp()).absolute() / "venv"
    # nox installs virtualenv, which bundles pip. Debian's venv would use this system's pip.
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", "--python", python, venv)
    (built,) = DIST.glob("wheel/*.whl")
    run_suite(session, built, *session.posargs, python=venv / "bin" / "python")


@nox.session
def here(session):
    """Build and run the suite on the Python that runs nox; `-- numpy==1.25.0 ...` pins versions."""
    run_suite(session, ROOT, pinned=session.posargs)


@nox.session
def sanitized(session):
    """Run the suite with the extension under the address and undefined-behavior sanitizers."""
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    session.env.update(CFLAGS=f"{flags} -O1 -g1 -fno-omit-frame-pointer", LDFLAGS=flags)
    libraries = [
        session.run("gcc", f"-print-file-name={name}.so", silent=True, external=True).strip()
        for name in ("libasan", "libubsan")
    ]
    # Python never frees some of its allocations, and some tests ask for more memory than there is.
    settings = "detect_leaks=0:allocator_may_return_null=1"
    sanitizers = {"LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": settings}
    run_suite(session, ROOT, "-m", "not clone and not memory", *session.posargs, env=sanitizers)


@nox.session(venv_backend="none")
def free_threaded(session):
    """Build a free-threaded CPython from Debian's source, and run the suite on it in parallel."""
    python = ROOT / ".nox" / "python3.13t" / "bin" / "python3.13t"
    if not python.exists():
        session.run(".ci/free_threaded_python", python.parent.parent)
    venv = Path(session.create_tmp()).absolute() / "venv"
    session.run(python, "-m", "venv", "--clear", venv)
    run_suite(session, ROOT, *session.posargs, python=venv / "bin" / "python")


@nox.session(requires=["wheel"])
def reproducible(session):
    """Build the wheel again in another folder, and check that it has the same bytes."""
    install_group(session, "release")
    (first,) = DIST.glob("wheel/*.whl")
    (sdist,) = DIST.glob("*.tar.gz")
    second = build_wheel(session, sdist, Path(session.create_tmp()) / "second")
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second)]
    if hashes[0] != hashes[1]:
        session.error(f"two builds of {first.name} differ: {hashes}")
    session.log(f"{first.name}: {hashes[0]} twice")


@nox.session(
    requires=[
        *("wheel", "reproducible", "suite-3.11", "suite-3.12", "suite-3.13", "newer", "windows"),
        *(
            "free_threaded",
            "sanitized",
            "old_cpu",
            "aarch64",
            "others",
            "extras",
            "calls",
            "commands",
            "browser",
        ),
        *("kernel", "machines", "compiled", "memcheck", "fuzz", "coverage", "lines", "mutation"),
    ]
)
def release(session):
    """Run the release checklist, and print how to start the release. See docs/versions.md."""
    version = re.search(r'__version__ = "(.*)"', (ROOT / "logreg_c/_version.py").read_text())[1]
    session.run(".ci/run", external=True)
    changelog = (ROOT / "CHANGELOG.md").read_text()
    if not re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE
    ):
        session.error(f"CHANGELOG.md has no section '## [{version}] - DATE'")
    for command, wanted in RELEASED_FROM.items():
        found = session.run(*command.split(), external=True, silent=True).strip()
        if found != wanted:
            session.error(f"`{command}` printed {found!r}; expected {wanted!r}")
    tag = f"v{version}"
    session.log(f"git tag --sign {tag} --message 'logreg_c {version}' && git push origin {tag}")


@nox.session
def docs(session):
    """Build the site into build/docs, with warnings as errors, and run every example on it."""
    session.install(".[docs]")
    session.run("python", "-P", "-m", "sphinx", "-W", "docs", "build/docs")
    session.run("pytest", "-q", "docs")


@nox.session(requires=["wheel"])
@nox.parametrize("needs", EXTRAS)
def extras(session, needs):
    """Use each extra without the others; without any, check that errors name the missing one."""
    (built,) = DIST.glob("wheel/*.whl")
    extra, _, library = needs.partition("+")
    session.install(f"{built}[{extra}]" if extra else built, "pytest", *library.split())
    place = Path(session.create_tmp())
    for name in "conftest.py", "test_extras.py":
        shutil.copy(ROOT / "tests" / name, place)
    session.chdir(place)
    session.run("pytest", "-q", *session.posargs)


# ---- The kernel by itself, see tests/kernel/Makefile --------------------------------------------

KERNEL = ROOT / "tests" / "kernel"
AARCH64 = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]
EMULATORS = [
    *("qemu-user", *AARCH64),
    *("gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"),
    *("gcc-mingw-w64-x86-64-posix", "wine", "wine64", "musl-tools"),
]


def debian(session, *packages):
    """Install missing Debian or Ubuntu packages."""
    session.run(".ci/install", *packages, external=True)


def make(session, *targets):
    """Build targets of the kernel's tests, two at a time."""
    debian(session, "gcc", "clang", "libclang-rt-dev", "make", "libc6-dev")
    session.run("make", "-C", str(KERNEL), "-j2", *targets, *session.posargs, external=True)


@nox.session(venv_backend="none")
def kernel(session):
    """Test the kernel: each backend, gcc and clang, -O0, plain C, sanitizers; compare the bits."""
    make(session, "all", "clang-sanitized")


@nox.session(venv_backend="none")
def machines(session):
    """Test the kernel and compare its bits on AArch64, s390x, Windows, musl and an old x86-64."""
    debian(session, *EMULATORS)
    machines = ["aarch64", "s390x", "windows", "windows-msvc", "nehalem", "musl"]
    builds = ["aarch64-O0", "aarch64-clang", "s390x-O0", "s390x-clang", "windows-O0"]
    make(session, *(f"bits-of-{name}" for name in machines + builds), *machines)


@nox.session
def compiled(session):
    """Compile and link the kernel for macOS and Windows on ARM, which are not available here."""
    session.install("ziglang==0.17.1")
    make(session, "compiled")


@nox.session(venv_backend="none")
def memcheck(session):
    """Run the kernel's tests under valgrind."""
    debian(session, "valgrind", "libc6-dbg")
    make(session, "valgrind")


@nox.session(venv_backend="none")
def fuzz(session):
    """Call the kernel with inputs from libFuzzer for ten minutes, under a sanitizer."""
    make(session, "fuzz", "FUZZ_SECONDS=600")


@nox.session
def coverage(session):
    """Measure how many of the kernel's lines and branches its tests execute."""
    session.install("gcovr==8.6")
    make(session, "coverage", "bits-of-coverage", "coverage-dispatch")
    build = KERNEL / "build"
    session.run(
        *("gcovr", "--root", "src", "--exclude-throw-branches", "--print-summary"),
        *("--fail-under-line", "99", "--fail-under-branch", "97"),
        *("--merge-mode-functions", "merge-use-line-min", "--txt-metric", "branch", "--txt", "-"),
        *(str(build / name) for name in ("coverage", "coverage-dispatch")),
    )


@nox.session
def lines(session):
    """Check that the suite runs every line of the package."""
    session.install("coverage==7.17.4", ".[test,onnx]", "onnxruntime")
    session.run("coverage", "erase")
    # Tests that run out of memory would do so inside coverage. Ctrl-C can interrupt coverage while
    # it holds its lock, and it would then wait for that lock.
    tests = ("tests", "--ignore=tests/test_no_memory.py", "-k", "not ctrl_c")
    session.run("python", "-P", "-m", "coverage", "run", "-m", "pytest", "-q", *tests)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def mutation(session):
    """Check that the suite notices changed operators and constants in the kernel and wrapper."""
    session.install(".[test,onnx]", "onnxruntime")
    for part in "kernel", "wrapper":
        session.run("python", "-P", "tools/mutate.py", part, *session.posargs)


EMULATED_PYTHON = ["numpy", "pytest", "hypothesis", "mpmath", "threadpoolctl"]
NUMERICS = ["accuracy", "identities", "reference", "same_bits", "weights"]
TRAIN = """
import hashlib
import numpy as np
import logreg_c
numbers = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype in "f8 f4 f2 i2 u1".split():
    X = (100 * numbers.random((20, 3000))).astype(dtype)
    Y = numbers.integers(0, 2, 3000)
    for given in X, np.asfortranarray(X):
        w, b, costs = logreg_c.train(given, Y, 1e-5, 20)
        digest.update(w.tobytes() + np.float64(b).tobytes() + costs.tobytes())
print(logreg_c.show_config()["isa"], digest.hexdigest())
"""


@nox.session(requires=["wheel"])
def old_cpu(session):
    """Import the wheel on an emulated x86-64 without AVX, train, and compare the bits."""
    debian(session, "qemu-user")
    (built,) = DIST.glob("wheel/*.whl")
    session.install(built)
    python = f"{session.bin}/python"
    train = (python, "-P", "-c", TRAIN)
    here = session.run(*train, silent=True)
    there = session.run("qemu-x86_64", "-cpu", "Nehalem", *train, silent=True, external=True)
    session.log(f"here: {here.strip()}; there: {there.strip()}")
    if there.split() != ["baseline", here.split()[1]]:
        session.error("the emulated CPU used another instruction set or gave other bits")


@nox.session(requires=["wheel"])
def aarch64(session):
    """Cross-compile the wheel for AArch64, and run the numerical tests on an emulated Debian."""
    emulator = ("qemu-user-static", "binfmt-support", "arch-test", *AARCH64)
    debian(session, "mmdebstrap", "debian-archive-keyring", *emulator)
    system = ROOT / ".nox" / "debian-arm64"
    if not system.exists():
        packages = ["libgomp1", "libpython3-dev", *(f"python3-{name}" for name in EMULATED_PYTHON)]
        include = f"--include={','.join(packages)}"
        options = ["--architectures=arm64", "--variant=minbase", include, "trixie"]
        session.run(*AS_ROOT, "mmdebstrap", *options, system, external=True)

    # No isolation: in an isolated environment pip would install AArch64's Cython.
    session.install("build", *PYPROJECT["build-system"]["requires"])
    headers = system / "usr" / "include"
    cross = {
        "CC": "aarch64-linux-gnu-gcc",
        "LDSHARED": "aarch64-linux-gnu-gcc -shared",
        "CFLAGS": f"-I{headers}/python3.13 -idirafter {headers}",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
    }
    place = Path(session.create_tmp())
    shutil.rmtree(place / "wheel", ignore_errors=True)
    (sdist,) = DIST.glob("*.tar.gz")
    build = ["python", "-m", "build", "--wheel", "--no-isolation", "--outdir", place / "wheel"]
    session.run(*build, sdist, env=cross, silent=True)
    (built,) = (place / "wheel").iterdir()

    modules = system / "usr/local/lib/python3.13/dist-packages"
    session.run(*AS_ROOT, "python", "-m", "zipfile", "--extract", built, modules)
    session.run(*AS_ROOT, "cp", "-rT", ROOT / "tests", system / "tests", external=True)
    tests = session.posargs or [f"tests/test_{name}.py" for name in NUMERICS]
    run = ["chroot", system, "python3", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    session.run(*AS_ROOT, *run, *tests, external=True)


MINGW = "x86_64-w64-mingw32-gcc"
# wine 8 has no links but has /dev/zero, and lacks complex-number functions that NumPy 2 needs.
NOT_OF_WINE = "not replaced and not links_to_itself and not is_no_file"
TESTED_EXTRAS = ["test", "cli", "report", "frames", "progress", "sklearn"]
FOR_WINE = ["numpy==1.26.4", "pyarrow<21", "colorama", "tzdata"]


@nox.session(requires=["wheel"])
def windows(session):
    """Cross-compile the extension for Windows, and run the suite on a CPython under wine."""
    debian(session, "gcc-mingw-w64-x86-64-posix", "wine", "wine64")
    session.install(*PYPROJECT["build-system"]["requires"])
    system = ROOT / ".nox" / "windows-python"
    if not system.exists():
        python = ["--require-hashes", "--requirement", ".ci/windows_python.txt"]
        session.install("--no-deps", "--target", system, *python)
        (system / "python311._pth").unlink()  # while it exists, Python ignores PYTHONPATH
        session.run(".ci/python_source", system / "source", external=True)
        shutil.copy(system / "source/PC/pyconfig.h.in", system / "source/Include/pyconfig.h")
        shim = [f"-o{system / 'bcryptprimitives.dll'}", "tests/wine/bcryptprimitives.c"]
        session.run(MINGW, "-shared", *shim, "-ladvapi32", external=True)

    place = Path(session.create_tmp()).absolute()
    site = place / "site"
    shutil.rmtree(site, ignore_errors=True)
    extras = PYPROJECT["project"]["optional-dependencies"]
    names = [name for extra in TESTED_EXTRAS for name in extras[extra]]
    wanted = [name for name in names if not name.startswith("logreg-c")]
    target = ["--target", site, "--platform", "win_amd64", "--python-version", "3.11"]
    session.install("--only-binary=:all:", *target, *wanted, *FOR_WINE)
    (built,) = DIST.glob("wheel/*.whl")
    session.run("python", "-m", "zipfile", "--extract", built, site)
    (site / "logreg_c" / "_kernel.abi3.so").unlink()
    session.run("cython", "-3", "logreg_c/_kernel.pyx", "-o", place / "_kernel.c")
    flags = ["-std=c11", "-O3", "-fopenmp", "-ffp-contract=off", "-DPy_LIMITED_API=0x030B0000"]
    sources = [place / "_kernel.c", *sorted(Path("src").glob("*/*.c")), system / "python3.dll"]
    extension = ["-shared", "-o", site / "logreg_c" / "_kernel.pyd", "-Isrc"]
    headers = f"-I{system / 'source' / 'Include'}"
    session.run(MINGW, *flags, headers, *extension, *sources, external=True)
    for name in "libgomp-1.dll", "libwinpthread-1.dll", "libgcc_s_seh-1.dll":
        library = session.run(MINGW, f"-print-file-name={name}", silent=True, external=True)
        shutil.copy(library.strip(), site / "logreg_c")

    copy_tests(session, place / "tests")
    session.env.update(WINEPREFIX=str(place / "wine"), WINEDEBUG="-all")
    session.env["PYTHONPATH"] = f"Z:{site}".replace("/", "\\")
    version = ["/v", "Version", "/d", "win10", "/f"]
    session.run("wine", "reg", "add", r"HKCU\Software\Wine", *version, external=True, silent=True)
    command = [system / "python.exe", "-P", "-m", *shlex.split(CIBUILDWHEEL["test-command"])]
    command += ["-p", "no:cacheprovider", "-k", NOT_OF_WINE, *session.posargs]
    # CPython accepts wine's pipes as standard streams, but not files on Linux.
    through_pipes = ["bash", "-o", "pipefail", "-c", 'true | wine "$@" 2>&1 | cat', "bash"]
    session.run(*through_pipes, *command, external=True)


@nox.session
def calls(session):
    """Make and check a million generated calls; `-- --models --seconds 20` models, for so long."""
    session.install(".[test]")
    session.run("python", "-P", "tools/fuzz", *session.posargs or ["--calls", "1000000"])


@nox.session
def commands(session):
    """Run the command line on 100,000 generated files, each checked; `-- --seconds 60` as many."""
    session.install(".[cli,onnx,report]")
    session.run("python", "-P", "tools/fuzz_cli.py", *session.posargs or ["--runs", "100000"])


@nox.session(requires=["wheel"])
def browser(session):
    """Open reports in headless Chromium, light, dark and on a phone; take the picture in README."""
    debian(session, "chromium", "fonts-dejavu-core")
    (built,) = DIST.glob("wheel/*.whl")
    session.install(
        f"{built}[cli,report,test]", "playwright==1.65.2", "axe-playwright-python==0.1.8"
    )
    session.run("python", "-P", "-m", "pytest", "-q", "tests/browser", *session.posargs)
    session.run("python", "-P", "tests/browser/pages.py", "docs/images/report.png")


@nox.session
def others(session):
    """Train in one process with torch, scikit-learn, numba and joblib, and under CPU limits."""
    session.install(".[test]", "torch", "scikit-learn", "numba", "joblib")
    session.run("pytest", "-q", "tests/test_interop.py", *session.posargs)
