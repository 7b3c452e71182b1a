# SPDX-License-Identifier: BSD-3-Clause
"""Running the notebook again gives the outputs stored in it."""

from pathlib import Path

import nbclient
import nbformat

NOTEBOOK = Path(__file__).parent.parent / "examples" / "breast_cancer.ipynb"


def outputs(notebook):
    """Return text outputs as they are, and only the types of pictures."""
    return [
        [
            output["text"] if "text" in output else sorted(output["data"])
            for output in cell.get("outputs", [])
        ]
        for cell in notebook.cells
    ]


def test_outputs_are_those_of_a_new_run(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    shown = nbformat.read(NOTEBOOK, as_version=4)
    again = nbformat.from_dict(shown)
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    nbclient.NotebookClient(again, timeout=120, resources=where).execute()
    assert outputs(again) == outputs(shown)
    assert sum(map(len, outputs(shown))) > 5
