# SPDX-License-Identifier: BSD-3-Clause
"""The report: one self-contained page that agrees with evaluate and escapes every name."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from logreg_c._cli.errors import shown, visible

pl = pytest.importorskip("polars")
for needed in ("jinja2", "matplotlib"):
    pytest.importorskip(needed)
import matplotlib.axes  # noqa: E402

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


@pytest.mark.long
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
        "Data",
        "How it was trained",
    ):
        assert title in found.text
    assert found.tags.count("svg") == 5
    _, said, _ = run("evaluate", trained, EXAMPLE)
    auc = re.search(r"ROC AUC +([\d.]+),", said)[1]
    assert auc in words
    assert "radius_error" in words


@pytest.mark.long
def test_the_page_fetches_nothing_and_runs_only_its_own_script(page, trained):
    text = page(trained, EXAMPLE)
    found = Page(text)
    assert not {"link", "img", "iframe", "object", "embed"} & set(found.tags)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert found.tags.count("script") == 1
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in text
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|http", script)
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name in {"src", "href", "xlink:href"}:
            assert value.startswith("#")
    assert not re.search(r"url\((?!#)|@import", text)
    assert "content=\"default-src 'none'; style-src" in text
    assert len(text) < 500_000


@pytest.mark.long
def test_the_page_fits_light_and_dark_and_a_phone(page, trained):
    text = page(trained, EXAMPLE)
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    pictures = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    # every color is one of the page's, and every width is the card's
    assert not re.search(r"#[0-9a-f]{6}\b", pictures)
    assert not re.search(r"<svg[^>]* width=", pictures)
    assert "var(--line)" in pictures


def explorer(text):
    """Return what the slider of thresholds shows."""
    (data,) = re.findall(r"data-explorer='(.*?)'>", text)
    return json.loads(data)


@pytest.mark.long
def test_the_slider_starts_at_the_threshold_and_shows_true_counts(run, page, trained):
    found = explorer(page(trained, EXAMPLE))
    (tn, fp), (fn, tp) = json.loads(run("evaluate", trained, EXAMPLE, "--json")[1])[
        "confusion_matrix"
    ]
    assert found["points"][found["start"]] == [0.5, tp, tp + fp]
    assert (found["zeros"], found["ones"]) == (tn + fp, fn + tp)
    A = pl.read_csv(run("predict", trained, EXAMPLE)[1].encode())["probability"].to_numpy()
    Y = (pl.read_csv(EXAMPLE)["diagnosis"] == "malignant").to_numpy()
    with np.load(trained) as stored:
        part = np.unpackbits(stored["held_out"], count=len(Y)).astype(bool)
    A, Y = A[part], Y[part]
    order = np.argsort(-A, kind="stable")
    counts = {(int(Y[order[:k]].sum()), k) for k in range(len(Y) + 1)}
    assert {(tp, positives) for _, tp, positives in found["points"]} <= counts
    assert [t for t, _, _ in found["points"]] == sorted(t for t, _, _ in found["points"])
    assert found["points"][0][2] == len(Y)
    assert found["points"][-1] == [1.0, 0, 0]


DOM = """
const cells = [0, 1, 2, 3].map(() => ({style: {}, b: {}, span: {}}));
cells.forEach(cell => { cell.querySelector = name => cell[name]; });
const parts = {input: {value: START, addEventListener: (_, f) => { parts.moved = f; }},
  output: {}, "[aria-live]": {}, ".slider": {}};
const document = {getElementById: () => ({dataset: {explorer: DATA},
  querySelector: name => parts[name], querySelectorAll: () => cells})};
{SCRIPT}
parts.input.value = 0; parts.moved();
console.log(cells.map(cell => cell.b.textContent).join(" "), parts["[aria-live]"].textContent);
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="runs the script of the page by node")
@pytest.mark.long
def test_the_slider_computes_the_measures(page, trained):
    text = page(trained, EXAMPLE)
    found = explorer(text)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1].replace('"use strict";', "")
    code = DOM.replace("START", str(found["start"])).replace("DATA", repr(json.dumps(found)))
    ended = subprocess.run(
        [shutil.which("node"), "-e", code.replace("SCRIPT", script)],
        capture_output=True,
        text=True,
        check=True,
    )
    zeros, ones = found["zeros"], found["ones"]  # at the lowest threshold all are positive
    share = 100 * ones / (zeros + ones)
    assert ended.stdout.startswith(f"0 {zeros} 0 {ones} Accuracy {share:.1f}%, recall 100.0%,")


@pytest.mark.long
def test_train_writes_the_page_about_the_rows_held_out(run, tmp_path, page):
    model, out = tmp_path / "m.npz", tmp_path / "r.html"
    start = ["train", EXAMPLE, "--target", "diagnosis", "-o", model, "--report", out]
    code, said, err = run(*start)
    assert (code, err) == (0, "")
    assert f"report written to {out}" in said
    text = out.read_text(encoding="utf-8")
    assert "the 114 rows of" in text
    assert re.search(r"<dt>time</dt><dd>\d+\.\d\d s</dd>", text)
    other = page(model, EXAMPLE)
    assert re.sub(r"<div><dt>time</dt>.*</div>\n", "", text) == other


@pytest.mark.long
def test_the_page_says_what_it_is_about(run, page, tmp_path, model, data):
    assert "were held out of training" in page(model, data)
    out = tmp_path / "all.html"
    assert run("report", model, data, "--all-rows", "-o", out)[0] == 0
    assert "The model was trained on 32 of them" in out.read_text(encoding="utf-8")
    rng, noise = np.random.default_rng(0), tmp_path / "noise.csv"
    columns = {f"x{j}": rng.normal(size=200) for j in range(30)}
    pl.DataFrame(columns | {"y": rng.random(200) < 0.5}).write_csv(noise)
    assert run("train", noise, "--target", "y", "-o", tmp_path / "n.npz")[0] == 0
    text = page(tmp_path / "n.npz", noise)
    assert "no better than chance" in text
    assert "no better than chance" not in page(model, data)


@pytest.mark.long
def test_the_columns_of_the_data_are_described(page, frame, model, data):
    text = re.sub(r"\s+", " ", page(model, data))
    for name, kind in {"height": "float", "weight": "float", "smokes": "boolean"}.items():
        values = frame[name].cast(pl.Float64)
        low, high = f"{values.min():.6g}", f"{values.max():.6g}"
        row = f'<th scope="row">{name}</th><td>{kind}</td> <td class="figure">0</td>'
        assert f'{row} <td class="figure">{low}</td> <td class="figure">{high}</td>' in text


@pytest.mark.long
def test_weights_have_intervals_where_there_are_standard_errors(run, page, tmp_path):
    model, rng, path = tmp_path / "m.npz", np.random.default_rng(0), tmp_path / "t.csv"
    x = rng.normal(size=300)
    pl.DataFrame({"x": x, "y": x + 2 * rng.normal(size=300) > 0}).write_csv(path)
    start = ["train", path, "--target", "y", "-o", model]
    assert run(*start)[0] == 0
    assert "95% interval</th>" not in page(model, path)
    assert run(*start, "--inference")[0] == 0
    with np.load(model) as stored:
        w, sd = stored["weights"][0], stored["deviations"][0]
        error = json.loads(stored["inference"].item())["standard_errors"][0]
    low, high = sd * (w - 1.959964 * error), sd * (w + 1.959964 * error)
    assert f'<td class="figure raw">{low:.4f} to {high:.4f}</td>' in page(model, path)


@pytest.mark.long
def test_a_rare_class_is_as_tall_as_the_other(run, page, tmp_path, monkeypatch):
    heights, stairs = [], matplotlib.axes.Axes.stairs

    def recorded(axes, values, *args, **kwargs):
        heights.append(values)
        return stairs(axes, values, *args, **kwargs)

    monkeypatch.setattr("matplotlib.axes.Axes.stairs", recorded)
    rng, path, model = np.random.default_rng(0), tmp_path / "rare.csv", tmp_path / "m.npz"
    Y = np.arange(2000) % 100 == 0
    pl.DataFrame({"x": rng.normal(size=2000) + Y, "y": Y}).write_csv(path)
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    page(model, path)
    assert len(heights) == 2
    for values in heights:
        assert 90 < values.sum() <= 100 + 1e-9  # per cent of its class


@pytest.mark.long
def test_the_same_model_and_rows_give_the_same_page(page, trained):
    assert page(trained, EXAMPLE) == page(trained, EXAMPLE)


@pytest.mark.long
def test_names_are_displayed_and_not_interpreted(run, page, tmp_path, frame):
    path, model = tmp_path / "odd.csv", tmp_path / "model.npz"
    evil = "<script>alert(1)</script>"
    frame.rename({"height": evil, "weight": "$x_1^2$ 身長 &amp;"}).with_columns(
        sick=pl.when(pl.col("sick") == "yes").then(pl.lit('"><img src=x>$')).otherwise("sick")
    ).write_csv(path)
    assert run("train", path, "--target", "sick", "-o", model)[0] == 0
    found = Page(page(model, path))
    assert "img" not in found.tags
    assert found.tags.count("script") == 1
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
@pytest.mark.long
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


@pytest.mark.long
def test_rows_of_one_class_have_a_report(page, tmp_path, frame, model):
    path = tmp_path / "ones.csv"
    frame.filter(pl.col("sick") == "yes").write_csv(path)
    found = Page(page(model, path))
    assert "needs rows of both classes" in found.text
    assert "ROC" not in found.text


@pytest.mark.long
def test_a_training_of_one_iteration_has_a_report(run, page, tmp_path, data):
    model = tmp_path / "model.npz"
    assert (
        run("train", data, "--target", "sick", "--solver", "gd", "--iters", "1", "-o", model)[0]
        == 0
    )
    assert "From 0.6931 to 0.6931." in page(model, data)


@pytest.mark.long
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
