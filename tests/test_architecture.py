# SPDX-License-Identifier: BSD-3-Clause
"""Rules for the package's sources: the direction of imports, and the length of functions."""

import ast
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.clone

PACKAGE = Path(__file__).resolve().parent.parent / "logreg_c"
# Modules and packages, from the kernel up. A module imports from its own floor and those below.
FLOORS = [
    ["_kernel", "_errors", "_files", "_npz", "_signals", "_version", "reference"],
    ["_threads", "_config"],
    ["_input"],
    ["_names", "_result", "_summary"],
    ["_objective"],
    ["_outputs", "_parts"],
    ["_softmax_parts", "batches"],
    ["_solvers"],
    ["_fit", "_fit_many", "_fit_path", "_inference", "_predict", "_softmax", "_train", "callbacks"],
    ["__init__"],
    ["dask", "onnx", "sklearn"],
    ["_cli", "__main__"],
    ["model"],
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
ADAPTERS = {*FLOORS[-1], *FLOORS[-2], *FLOORS[-3]}
# Modules of the core that belong to an extra, and what they import in addition to NumPy.
EXTRAS = {
    "_input.frames": "narwhals",
    "batches.arrow": "pyarrow",
    "callbacks.progress": "tqdm",
}
LONGEST = 59


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = {*FILES, "_kernel"}


@cache
def tree_of(module):
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def is_for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"


def imports_of(module, *, for_types=True):
    """Return all imports of a module: ".name" for modules of the package, "name" for others."""
    nodes, found = [tree_of(module)], set()
    package = ["", *module.split(".")]
    if FILES[module].name != "__init__.py" or module == "__init__":
        del package[-1]
    while nodes:
        node = nodes.pop()
        if for_types or not is_for_types(node):
            nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {absolute(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = ["logreg_c", *package[1 : len(package) - node.level + 1], *base]
            found |= {absolute([*base, alias.name]) for alias in node.names}
    return found


def absolute(parts):
    """Return the module that `import a.b.c` or `from a.b import c` imports."""
    if parts[0] != "logreg_c":
        return parts[0]
    while len(parts) > 1 and ".".join(parts[1:]) not in MODULES:
        parts = parts[:-1]
    return "." + (".".join(parts[1:]) or "__init__")


def test_imports_are_resolved():
    assert ".callbacks.checkpoint" in imports_of("callbacks")
    assert {"._input", "._kernel", "._outputs", "numpy"} <= imports_of("_predict")
    assert {"._threads", "._input.arrays"} <= imports_of("_input.scalars")
    assert {".__init__", "._solvers.minimum", "._cli.tables"} <= imports_of("_cli.training")
    assert "._cli.tables.source" in imports_of("_cli.tables")


@pytest.mark.parametrize("module", FILES)
@pytest.mark.long
def test_imports_go_one_way(module):
    floor = FLOOR_OF[module.partition(".")[0]]
    on_demand = {".model"} if module == "__init__" else set()
    above = {
        name
        for name in imports_of(module) - on_demand
        if name[0] == "." and FLOOR_OF[name[1:].partition(".")[0]] > floor
    }
    assert not above


def test_no_import_leads_back():
    graph = {f".{module}": imports_of(module, for_types=False) for module in FILES}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize(
    "module", [module for module in FILES if module.partition(".")[0] not in ADAPTERS]
)
def test_the_core_imports_numpy_alone(module):
    others = {name for name in imports_of(module, for_types=False) if name[0] != "."}
    others -= sys.stdlib_module_names | {"_signal"}
    assert others <= {"numpy", EXTRAS.get(module)}


def test_only_the_objective_builds_problems():
    builders = {name for name, path in FILES.items() if "_kernel.Problem(" in path.read_text()}
    assert builders == {"_objective", "_parts"}


@pytest.mark.parametrize("module", FILES)
def test_no_function_is_long(module):
    lengths = {}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                length -= node.body[0].end_lineno - node.body[0].lineno + 1
            lengths[f"{node.name}, line {node.lineno}"] = length
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_the_map_shows_every_module():
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    listing = text.partition("```text")[2].partition("```")[0]
    assert [name for name, path in FILES.items() if path.name not in listing] == []
