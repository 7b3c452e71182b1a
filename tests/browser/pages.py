# SPDX-License-Identifier: BSD-3-Clause
"""The report in headless Chromium: makes reports, opens them, takes their picture.

python -P tests/browser/pages.py docs/images/report.png
"""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from playwright.sync_api import sync_playwright

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"


def report(table, *options):
    """Train on a table, and return the path of the report, next to the table."""
    page = table.with_suffix(".html")
    command = [sys.executable, "-P", "-m", "logreg_c", "train", table.name, *options]
    subprocess.run(
        [*command, "--output", "model.npz", "--report", page.name],
        cwd=table.parent,
        check=True,
        capture_output=True,
    )
    return page


def example(folder):
    """The report on the example data, with the standard errors of the weights."""
    table = folder / "breast_cancer.csv"
    table.write_bytes(EXAMPLE.read_bytes())
    return report(table, "--target", "diagnosis", "--inference", "--l2", "1e-3")


def rare(folder):
    """The report on many columns with gaps, text, long names, and a class of 3 %."""
    rng = np.random.default_rng(0)
    m = 4000
    columns = {f"a rather long name of column {j}": rng.normal(size=m).round(4) for j in range(40)}
    columns["<b>bold</b> & $x^2$"] = [None, *rng.normal(size=m - 1)]
    columns["city"] = rng.choice(["Aarhus", "Łódź", "São Paulo", "東京"], m)
    Z = 2 * columns["a rather long name of column 0"] - 5
    columns["bought"] = rng.random(m) < 1 / (1 + np.exp(-Z))
    table = folder / "rare.parquet"
    pl.DataFrame(columns).write_parquet(table)
    return report(table, "--target", "bought", "--one-hot", "--missing", "mean")


@contextmanager
def opened(page, *, width=1200, height=900, scheme="light"):
    """Open a page; yield it, and the list of what its console says."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        # axe-core is a script that the page's own policy does not allow
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
        )
        tab = context.new_page()
        said = []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(page.as_uri())
        yield tab, said
        browser.close()


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(example(Path(folder)), height=1150) as (tab, _),
    ):
        tab.screenshot(path=sys.argv[1])
