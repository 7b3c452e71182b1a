# SPDX-License-Identifier: BSD-3-Clause
"""Check the wheels of a release; needs the dependency group `release` in pyproject.toml.

python .ci/wheels.py config           check that cibuildwheel will build exactly our wheels
python .ci/wheels.py check WHEEL...   check that each is one of our wheels, with correct contents
python .ci/wheels.py release FOLDER   check that FOLDER has all wheels, the sdist, nothing else
"""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.resources import files
from pathlib import Path

import jsonschema
import lief
from packaging.utils import parse_sdist_filename, parse_wheel_filename

# ---- The exact list ------------------------------------------------------------------------------

ABIS = {  # wheel: the Pythons that build or test it, as cibuildwheel names them
    "cp311-abi3": ["cp311", "cp312", "cp313", "cp314", "cp315"],
    "cp314-cp314t": ["cp314t"],
    "cp315-cp315t": ["cp315t"],
}
PLATFORMS = {  # wheel: (cibuildwheel's platform, its architecture)
    "manylinux_x86_64": ("linux", "x86_64"),
    "manylinux_aarch64": ("linux", "aarch64"),
    "musllinux_x86_64": ("linux", "x86_64"),
    "musllinux_aarch64": ("linux", "aarch64"),
    "macosx_x86_64": ("macos", "x86_64"),
    "macosx_arm64": ("macos", "arm64"),
    "win_amd64": ("windows", "AMD64"),
    "win_arm64": ("windows", "ARM64"),
}
EXPECTED = {f"{abi}-{platform}" for abi in ABIS for platform in PLATFORMS}
NEWEST_LIBC = {"manylinux": 28, "musllinux": 2}  # glibc 2.28, musl 1.2

# ---- The contents of each ------------------------------------------------------------------------

LARGEST = 1_200_000  # bytes, without the OpenMP runtime
OPENMP_RUNTIME = re.compile(r"logreg_c\.libs/(libgomp-.*\.so.*|vcomp140-.*\.dll|\.load-order-.*)")
EXTENSION = {
    "cp311-abi3": re.compile(r"logreg_c/_kernel\.(abi3\.so|pyd)"),
    "cp314-cp314t": re.compile(r"logreg_c/_kernel\.(cpython-314t-.*\.so|cp314t-win_.*\.pyd)"),
    "cp315-cp315t": re.compile(r"logreg_c/_kernel\.(cpython-315t-.*\.so|cp315t-win_.*\.pyd)"),
}
# The C library, Python, and the bundled OpenMP runtime; on macOS, the system library alone.
LIBRARIES = re.compile(
    r"""lib(c|m|pthread)\.so\.6|libpthread\.so\.0|libc\.musl-.*\.so\.1|ld-linux-.*\.so\.\d|ld-musl-.*
    |libgomp-.*\.so.* |/usr/lib/libSystem\.B\.dylib
    |python3\d*t?\.dll|KERNEL32\.dll|VCRUNTIME140\.dll|api-ms-win-crt-.*\.dll|vcomp140-.*\.dll""",
    re.VERBOSE | re.IGNORECASE,
)


def expected_name(wheel):
    """Return the wheel's name as in EXPECTED, and the C libraries and versions in its tags."""
    tags = parse_wheel_filename(wheel.name)[3]
    parts = [re.split(r"(?<=x)_([\d_]+)_", tag.platform) for tag in tags]
    names = {
        f"{tag.interpreter}-{tag.abi}-{'_'.join([part[0], *part[2:]])}"
        for tag, part in zip(tags, parts, strict=True)
    }
    (name,) = names  # several tags differ only in the version of the C library
    return name, [(part[0], part[1].split("_")) for part in parts if len(part) > 1]


def faults_of_extension(name, content):
    """Yield each fault of an extension module in ELF, Mach-O or PE format."""
    binary = lief.parse(content)
    if isinstance(binary, lief.MachO.FatBinary):
        if binary.size != 1:
            yield f"contains {binary.size} architectures, not 1"
        binary = binary.at(0)
    is_pe = isinstance(binary, lief.PE.Binary)
    machine = str(binary.abstract.header.architecture).rpartition(".")[2]
    if machine != ("ARM64" if name.endswith(("aarch64", "arm64")) else "X86_64"):
        yield f"is built for {machine}"
    exports = binary.exported_functions if is_pe else binary.exported_symbols
    exports = {symbol.name.removeprefix("_") for symbol in exports}
    if exports != {"PyInit__kernel"}:
        yield f"exports {sorted(exports)}, not only PyInit__kernel"
    if isinstance(binary, lief.ELF.Binary) and binary.has(lief.ELF.Segment.TYPE.TLS):
        yield "has thread-local variables"
    if not binary.has_nx:
        yield "needs an executable stack"
    libraries = [getattr(library, "name", library) for library in binary.libraries]
    if strange := [library for library in libraries if not LIBRARIES.fullmatch(library)]:
        yield f"depends on {strange}"
    sections = [section.name for section in binary.sections]
    if debug := [s for s in sections if s.startswith((".debug", ".symtab", "__debug"))]:
        yield f"is not stripped: {debug}"
    if is_pe and any(isinstance(entry, lief.PE.CodeViewPDB) for entry in binary.debug):
        yield "is not stripped: it names a .pdb file"


def faults(wheel, *, release):
    """Yield each fault of a wheel."""
    name, libcs = expected_name(wheel)
    if name not in EXPECTED:
        yield f"{name} is not one of the wheels we publish"
        return
    for libc, version in libcs:
        if release and libc in NEWEST_LIBC and int(version[1]) > NEWEST_LIBC[libc]:
            yield f"needs {libc} {'.'.join(version)}"
    with zipfile.ZipFile(wheel) as archive:
        own = [info for info in archive.infolist() if not OPENMP_RUNTIME.fullmatch(info.filename)]
        size = sum(info.compress_size for info in own)
        print(f"{wheel.name}: {size:,} bytes without the OpenMP runtime")
        if size >= LARGEST:
            yield f"has {size:,} bytes; the limit is {LARGEST:,}"
        abi = name.rpartition("-")[0]
        binaries = [
            info.filename for info in own if re.search(r"\.(so|pyd|dll|dylib)", info.filename)
        ]
        if len(binaries) != 1 or not EXTENSION[abi].fullmatch(binaries[0]):
            yield f"contains {binaries}, not the one extension of {abi}"
            return
        for fault in faults_of_extension(name, archive.read(binaries[0])):
            yield f"{binaries[0]} {fault}"


def check(wheels, *, release=False):
    """Exit with all faults of all wheels, if there are any."""
    found = [
        f"{wheel.name}: {fault}" for wheel in wheels for fault in faults(wheel, release=release)
    ]
    if found:
        sys.exit("\n".join(found))


def release(folder):
    """Exit unless the folder contains exactly one release."""
    paths = sorted(folder.iterdir())
    wheels = [path for path in paths if path.suffix == ".whl"]
    names = [expected_name(wheel)[0] for wheel in wheels]
    if sorted(names) != sorted(EXPECTED):
        sys.exit(
            f"missing: {sorted(EXPECTED - {*names})}\nunexpected: {sorted({*names} - EXPECTED)}"
        )
    sdists = [path for path in paths if path.suffix != ".whl"]
    if len(sdists) != 1:
        sys.exit(f"expected one sdist besides the wheels, found {sdists}")
    versions = {parse_wheel_filename(wheel.name)[1] for wheel in wheels}
    if versions != {parse_sdist_filename(sdists[0].name)[1]}:
        sys.exit(f"versions differ: {sdists[0].name} and wheels of {versions}")
    check(wheels, release=True)


def config():
    """Exit unless cibuildwheel's settings are valid and lead to exactly our wheels."""
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
    schema = files("cibuildwheel").joinpath("resources/cibuildwheel.schema.json")
    jsonschema.validate(settings, json.loads(schema.read_text("utf-8")))
    built = set()
    for platform, arch in {*PLATFORMS.values()}:
        command = ["cibuildwheel", "--platform", platform, "--archs", arch]
        command.append("--print-build-identifiers")
        built.update(subprocess.check_output(command, text=True).split())  # noqa: S603
    wanted = {f"{python}-{p}" for pythons in ABIS.values() for python in pythons for p in PLATFORMS}
    if built != wanted:
        sys.exit(f"not built: {sorted(wanted - built)}\nunexpected: {sorted(built - wanted)}")
    print(f"{len(EXPECTED)} wheels, tested as {len(wanted)}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["config"]:
            config()
        case ["check", *wheels] if wheels:
            check([Path(wheel) for wheel in wheels])
        case ["release", folder]:
            release(Path(folder))
        case _:
            sys.exit(__doc__)
