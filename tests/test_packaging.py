# SPDX-License-Identifier: BSD-3-Clause
"""What a user downloads: the sdist has all sources, the wheel only the package."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import logreg_c

pytestmark = pytest.mark.clone

ROOT = Path(__file__).resolve().parent.parent
BUILD = "import sys, setuptools.build_meta as b; getattr(b, 'build_' + sys.argv[1])(sys.argv[2])"


def build(what, source, out):
    subprocess.run(
        [sys.executable, "-c", BUILD, what, out], check=True, cwd=source, capture_output=True
    )
    (result,) = out.iterdir()
    return result


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Build it from a copy, because a build leaves files in its folder."""
    tmp = tmp_path_factory.mktemp("sdist")
    copy = tmp / "copy"
    copy.mkdir()
    for name in (
        "CITATION.cff",
        "LICENSE",
        "MANIFEST.in",
        "README.md",
        "pyproject.toml",
        "setup.py",
    ):
        shutil.copy(ROOT / name, copy)
    for path in ROOT.glob("*.md"):
        shutil.copy(path, copy)
    for name in ("benchmarks", "docs", "examples", "logreg_c", "src", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return build("sdist", copy, tmp / "dist")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Build it from the sdist."""
    tmp = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp, filter="data")
    (source,) = tmp.iterdir()
    return build("wheel", source, tmp / "dist")


@pytest.mark.long
def test_sdist_holds_all_sources(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = [
        path.relative_to(ROOT).as_posix()
        for folder, pattern in [
            ("src", "**/*.[ch]"),
            ("logreg_c", "**/*.py*"),
            ("logreg_c", "**/*.html"),
            ("tests", "**/*.py"),
            ("tests", "**/*.[ch]"),
            ("tests", "**/Makefile"),
            ("examples", "*.csv"),
            ("docs", "*.md"),
            (".", "*.md"),
        ]
        for path in (ROOT / folder).glob(pattern)
        if "__pycache__" not in path.parts
    ]
    assert len(sources) > 20
    needed = {*sources, "LICENSE", "pyproject.toml", "setup.py", "logreg_c/py.typed"}
    assert needed <= names
    assert not [name for name in names if name.endswith((".so", ".pyd", ".o", "/_kernel.c"))]


@pytest.mark.long
def test_wheel_holds_the_package_alone(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"logreg_c-{logreg_c.__version__}.dist-info/"
    package = {name for name in names if not name.startswith(info)}
    extensions = {name for name in package if re.search(r"_kernel\..*(so|pyd)$", name)}
    python = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.py", "*.html")
        for path in (ROOT / "logreg_c").rglob(pattern)
    }
    assert len(extensions) == 1
    assert package == python | extensions | {"logreg_c/_kernel.pyi", "logreg_c/py.typed"}
    assert info + "licenses/LICENSE" in names


@pytest.mark.long
def test_wheel_has_the_right_tags(wheel):
    archive = zipfile.ZipFile(wheel)
    info = f"logreg_c-{logreg_c.__version__}.dist-info/"
    meta = message_from_bytes(archive.read(info + "METADATA"))
    assert meta["Name"] == "logreg-c"
    assert meta["Version"] == logreg_c.__version__
    assert meta["License-Expression"] == "BSD-3-Clause"
    assert meta["Requires-Python"] == ">=3.11"
    core = [need for need in meta.get_all("Requires-Dist") if "extra ==" not in need]
    assert [re.split(r"\W", need)[0] for need in core] == ["numpy"]
    assert b"logreg-c = logreg_c._cli:main" in archive.read(info + "entry_points.txt")
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert "-cp311-abi3-" in wheel.name  # one wheel for 3.11 and every later version
        (extension,) = [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]
        assert extension in {"logreg_c/_kernel.abi3.so", "logreg_c/_kernel.pyd"}


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads an ELF file with nm")
def test_the_extension_exports_its_init_function_alone(wheel, tmp_path):
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".so")]
    extension = archive.extract(name, tmp_path)
    done = subprocess.run(
        ["nm", "-D", "--defined-only", extension],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["PyInit__kernel"]


def test_the_source_folder_says_that_it_is_not_what_was_installed(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(ROOT / "logreg_c", tmp_path / "logreg_c", ignore=ignore)
    done = subprocess.run(
        [sys.executable, "-c", "import logreg_c"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith("ImportError: logreg_c has no compiled kernel in")
    assert "python -P" in message
