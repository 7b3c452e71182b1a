# SPDX-License-Identifier: BSD-3-Clause
"""Every picture has a script that still draws it, and a page that shows it."""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
IMAGES = {path.name for path in (DOCS / "images").glob("*.svg")}
PAGES = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]


def size_of(path):
    """Return the size of a picture, which follows from its data where rows are bars."""
    return re.search(r'viewBox="[^"]*"', path.read_text(encoding="utf-8"))[0]


def test_the_scripts_draw_all_pictures_and_no_other(tmp_path):
    scripts = {script.stem for script in (DOCS / "figures").glob("*.py")} - {"style"}
    for script in sorted(scripts):
        command = [sys.executable, DOCS / "figures" / f"{script}.py", tmp_path]
        subprocess.run(command, check=True)
    assert {path.name for path in tmp_path.iterdir()} == IMAGES
    for path in tmp_path.iterdir():
        assert size_of(path) == size_of(DOCS / "images" / path.name), path.name


def test_all_pictures_are_shown_with_words_for_those_who_cannot_see_them():
    shown = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for words, name in re.findall(r"!\[([^]]*)\]\([^)]*?([^/)]+\.svg)\)", text):
            assert len(words) > 40, (page.name, name)
            shown.add(name)
    assert shown == IMAGES
