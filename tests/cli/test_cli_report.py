# SPDX-License-Identifier: BSD-3-Clause
"""The report: one self-contained page that agrees with evaluate and escapes every name."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from logreg_c._cli.errors import shown, visible

pl = pytest.importorskip("polars")
for needed in ("jinja2", "matplotlib"):
    pytest.importorskip(needed)

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"


class Page(HTMLParser):
    """Collects what a browser would show."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def page(run, tmp_path):
    def make(model, file):
        out = tmp_path / "report.html"
        code, said, err = run("report", model, file, "-o", out)
        assert (code, said, err) == (0, f"report written to {out}\n", "")
        return out.read_text(encoding="utf-8")

    return make


@pytest.fixture
def trained(run, tmp_path):
    model = tmp_path / "model.npz"
    assert run("train", EXAMPLE, "--target", "diagnosis", "-o", model)[0] == 0
    return model


def test_the_page_shows_every_picture_and_number(run, page, trained):
    text = page(trained, EXAMPLE)
    found = Page(text)
    words = " ".join(found.text)
    for title in (
        "Cost",
        "ROC",
        "Precision and recall",
        "Calibration",
        "Probabilities",
        "Confusion matrix",
        "The 20 largest of 30 weights",
        "How it was trained",
    ):
        assert title in found.text
    assert found.tags.count("svg") == 5
    _, said, _ = run("evaluate", trained, EXAMPLE)
    auc = float(re.search(r"ROC AUC +([\d.]+)", said)[1])
    assert f"{auc:.4f}" in words
    assert "radius_error" in words


def test_the_page_fetches_nothing_and_runs_nothing(page, trained):
    text = page(trained, EXAMPLE)
    found = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name in {"src", "href", "xlink:href"}:
            assert value.startswith("#")
    assert not re.search(r"url\((?!#)|@import", text)
    assert "content=\"default-src 'none'; style-src" in text
    assert len(text) < 500_000


def test_the_page_fits_light_and_dark_and_a_phone(page, trained):
    text = page(trained, EXAMPLE)
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    pictures = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    # every color is one of the page's, and every width is the card's
    assert not re.search(r"#[0-9a-f]{6}\b", pictures)
    assert not re.search(r"<svg[^>]* width=", pictures)
    assert "var(--line)" in pictures


def test_the_same_model_and_rows_give_the_same_page(page, trained):
    assert page(trained, EXAMPLE) == page(trained, EXAMPLE)


def test_names_are_displayed_and_not_interpreted(run, page, tmp_path, frame):
    path, model = tmp_path / "odd.csv", tmp_path / "model.npz"
    evil = "<script>alert(1)</script>"
    frame.rename({"height": evil, "weight": "$x_1^2$ 身長 &amp;"}).with_columns(
        sick=pl.when(pl.col("sick") == "yes").then(pl.lit('"><img src=x>$')).otherwise("sick")
    ).write_csv(path)
    assert run("train", path, "--target", "sick", "-o", model)[0] == 0
    found = Page(page(model, path))
    assert not {"script", "img"} & set(found.tags)
    words = "".join(found.text)
    assert evil in words
    assert "$x_1^2$ 身長 &amp;" in words
    assert words.count('"><img src=x>$') > 3  # the legend of a picture too


NAMES = [
    "'DejaVu Sans'zzz",
    "#010203",
    'a"; fill: #010205',
    "\x1b[2J\u202e\u2066\u200b",
    "\x01\x08\ufffe",
    "\u3164\U000e0041",
    "x" * 900,
    "<svg onload=alert(1)>]]>&",
    "${\\frac{1}{2}}$",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.sampled(2)
def test_a_name_changes_neither_the_page_nor_its_pictures(run, page, tmp_path, frame, name):
    path, model = tmp_path / "odd.parquet", tmp_path / "model.npz"
    frame.rename({"height": name}).with_columns(
        sick=pl.when(pl.col("sick") == "yes").then(pl.lit(name)).otherwise(pl.lit("a"))
    ).write_parquet(path)
    code, out, err = run("train", path, "--target", "sick", "-o", model)
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.split("\n"))
    text = page(model, path)
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text) < 200_000
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 5
    picture = ET.fromstring(pictures[-1])  # noqa: S314 (our own)
    labels = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert labels >= {shown(name, 30), "a"}


def test_rows_of_one_class_have_a_report(page, tmp_path, frame, model):
    path = tmp_path / "ones.csv"
    frame.filter(pl.col("sick") == "yes").write_csv(path)
    found = Page(page(model, path))
    assert "needs rows of both classes" in found.text
    assert "ROC" not in found.text


def test_a_training_of_one_iteration_has_a_report(run, page, tmp_path, data):
    model = tmp_path / "model.npz"
    assert (
        run("train", data, "--target", "sick", "--solver", "gd", "--iters", "1", "-o", model)[0]
        == 0
    )
    assert "From 0.6931 to 0.6931." in page(model, data)


def test_a_cost_that_falls_far_is_drawn_on_a_logarithmic_scale(run, page, tmp_path, monkeypatch):
    scales = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_yscale", lambda _, scale: scales.append(scale))
    path, model = tmp_path / "t.csv", tmp_path / "m.npz"
    path.write_text("a,y\n" + "1,1\n-1,0\n" * 20)
    options = ["--alpha", "100", "--solver", "gd", "--iters", "500", "--output", model]
    assert run("train", path, "--target", "y", *options)[0] == 0
    assert page(model, path)
    assert scales == ["log"]


@pytest.mark.long
def test_costs_at_the_end_of_the_range_have_a_report(page, tmp_path, model, data):
    with np.load(model) as stored:
        arrays = dict(stored)
    k = arrays["costs"].size
    for costs in (
        [1e308] * k,
        [0.0] * k,
        [5e-324, *[1.7e308] * (k - 1)],
        [1e300, *[0.7] * (k - 1)],
    ):
        np.savez(tmp_path / "odd.npz", **arrays | {"costs": np.array(costs)})
        assert "iteration" in page(tmp_path / "odd.npz", data)


@pytest.mark.parametrize("number", [*range(32), 0x7F, 0x85, 0x9B, 0x200B, 0x200E, 0x202E, 0x2028,
    0x2066, 0xFEFF, 0xFFFE, 0xD800, 0xE0041, 0x3164, 0xFE0F])  # fmt: skip
def test_control_and_invisible_characters_are_escaped(number):
    assert visible(f"a{chr(number)}b").isascii()
    assert visible(f"a{chr(number)}b").isprintable()
    assert shown(chr(number)).isprintable()
    assert visible("größe 身長 👩") == "größe 身長 👩"


def test_a_failed_report_leaves_no_file(fails, tmp_path, model, data):
    before = set(tmp_path.iterdir())
    fails("report", model, tmp_path / "no.csv", "-o", tmp_path / "r.html", match="does not exist")
    fails("report", model, data, "-o", tmp_path, match="not a file that can be replaced")
    assert set(tmp_path.iterdir()) == before
