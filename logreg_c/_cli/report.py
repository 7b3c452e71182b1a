# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c report`: one self-contained page about a model and the rows it is evaluated on."""

import base64
import hashlib
import io
import logging
import re
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import logreg_c

from . import metrics, models, tables
from .console import decimal, print_line
from .errors import shown
from .models import Model
from .output import check_output, written_whole
from .recipes import Dialect
from .scoring import Scored, measures, score_file
from .scoring_classes import MOST_SHOWN

MOST_POINTS = 400  # of a curve; more than a screen can show
MOST_WEIGHTS = 20
Z95 = 1.959964
MOST_COLUMNS = 100
LEAST_SHARE = 0.0005  # of a class; bars of fewer rows may be outside of the picture
LONGEST_LABEL = 30  # of a class in a picture
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

TICKS = (1e-6, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-6)
# Placeholders for the colors of the page, so that a picture follows the light or dark theme.
COLORS = {
    "ink": "#010203",
    "faint": "#010204",
    "line": "#010205",
    "area": "#010206",
    "other": "#010207",
}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "logreg_c",
    "font.size": 10.5,
    "text.parse_math": False,  # a $ in a name is no formula
    "text.color": COLORS["ink"],
    "axes.labelcolor": COLORS["ink"],
    "axes.edgecolor": COLORS["faint"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": COLORS["faint"],
    "grid.alpha": 0.35,
    "grid.linewidth": 0.7,
    "xtick.color": COLORS["faint"],
    "ytick.color": COLORS["faint"],
    "xtick.labelcolor": COLORS["ink"],
    "ytick.labelcolor": COLORS["ink"],
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
}


def run(
    model_file: Path,
    file: Path,
    output: Path,
    dialect: Dialect,
    *,
    all_rows: bool,
    dask: str | None,
) -> None:
    """Score the file and write the page."""
    check_output(output, model_file, *tables.files_of(file))
    with written_whole(output, rehearse=True):
        pass
    model = models.load(model_file)
    scored = score_file(model, file, dialect, all_rows=all_rows, dask=dask)
    write(output, model, scored, str(file))
    print_line(f"report written to {output}")


def write(
    output: Path, model: Model, scored: Scored, file: str, seconds: float | None = None
) -> None:
    """Write the page about a model, the rows that were scored, and the time of its training."""
    page = render(model, scored, shown(file), seconds)
    # The browser may run our script, and no other.
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("sha256-", f"sha256-{digest}", 1)
    with written_whole(output) as part:
        part.write(page.encode())


def render(model: Model, scored: Scored, file_name: str, seconds: float | None = None) -> str:
    """Return the page."""
    found = measures(scored, model.threshold)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("logreg_c._cli", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    per_sd, weights = model.per_deviation.ravel(), model.weights.ravel()
    ranked = model.ranking[:MOST_WEIGHTS]
    # of several classes, errors are those of differences between classes
    errors = model.inference.get("standard_errors") if model.of_two else None
    half = (
        np.zeros(len(per_sd)) if errors is None else Z95 * model.deviations * np.array(errors[:-1])
    )
    largest = max((abs(per_sd[j]) for j in ranked if np.isfinite(per_sd[j])), default=0.0) or 1.0
    return environment.get_template("report.html").render(
        target=shown(model.target),
        classes=model.class_names,
        either=model.either,
        of_two=model.of_two,
        has_matrix=len(model.classes) <= MOST_SHOWN,
        file=file_name,
        found=found,
        is_chance=bool(found.get("roc_auc_interval")) and found["roc_auc_interval"][0] <= 0.5,
        explorer=_explorer(model, scored, found) if model.of_two else None,
        data=_data(model),
        n_columns=len(model.schema),
        seconds=seconds,
        pictures=_pictures(model, scored),
        weights=[
            {
                "name": model.weight_name(j),
                "per_sd": float(per_sd[j]),
                "per_sd_text": decimal(per_sd[j], sign="+"),
                "interval": f"{decimal(per_sd[j] - half[j])} to {decimal(per_sd[j] + half[j])}",
                "w": float(weights[j]),
                "share": min(abs(float(per_sd[j])) / largest, 1.0),
            }
            for j in ranked
        ],
        n_weights=weights.size,
        has_errors=errors is not None,
        biases=[f"{b:.6g}" for b in np.ravel(model.bias).tolist()],
        settings={shown(key): _setting(value) for key, value in model.settings.items()},
        version=logreg_c.__version__,
    )


def _setting(value: object) -> str:
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.6g}" if isinstance(value, float) else shown(value)


def _explorer(model: Model, scored: Scored, found: dict[str, Any]) -> dict[str, Any]:
    """Return what the slider of thresholds shows: [threshold, true positives, positives] each."""
    (tn, fp), (fn, tp) = found["confusion_matrix"]
    own = [model.threshold, tp, tp + fp]
    points = [own]
    if found["roc_auc"] is not None:
        curves = metrics.curves(scored.A, scored.Y)
        above = curves.thresholds
        below = np.append(above[1:], 0.0)
        middle = below + (above - below) / 2  # predicts what `above` and more does
        middle = np.where(middle < above, middle, below)
        at = _along(*(axis[1:] for axis in curves.roc))
        points += np.stack([middle, curves.true_positives, curves.positives], 1)[at].tolist()
        points.append([1.0, 0.0, 0.0])
    points.sort(key=lambda point: (point[0], -point[2]))
    return {
        "zeros": tn + fp,
        "ones": fn + tp,
        "start": points.index(own),
        "points": [[float(f"{t:.4g}"), int(tp), int(all_)] for t, tp, all_ in points],
    }


def _data(model: Model) -> list[dict[str, str]]:
    """Return the columns of the table as text."""

    def number(value: str | float | None) -> str:
        if value is None or isinstance(value, str):
            return shown(value) if value else ""
        return f"{value:.6g}" if isinstance(value, float) else f"{value:,}"

    return [
        {
            "name": shown(name),
            "type": shown(column["type"]),
            "missing": number(column["missing"]),
            "minimum": number(column["minimum"]),
            "maximum": number(column["maximum"]),
            "different": number(column["different"]),
        }
        for name, column in list(model.schema.items())[:MOST_COLUMNS]
    ]


def _pictures(model: Model, scored: Scored) -> list[dict[str, Any]]:
    A, Y = scored.A, scored.Y
    # It logs the location of its caches, which does not concern the user.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with style.context(["default", STYLE]), warnings.catch_warnings():
        # The reader's browser has fonts for characters that matplotlib's font does not have.
        warnings.filterwarnings("ignore", "Glyph")
        pictures = [_cost(model)]
        if not model.of_two:
            of_most_probable = _calibration(
                A.max(axis=1), A.argmax(axis=1) == Y, ", by the probability of its predicted class"
            )
            return [*pictures, of_most_probable]
        if Y.any() and not Y.all():
            curves = metrics.curves(A, Y)
            pictures += [_roc(curves), _precision_recall(curves, Y)]
        pictures += [_calibration(A, Y), _probabilities(model, A, Y)]
    return pictures


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.7, 3.5), layout="constrained")
    return figure, figure.add_subplot()


def _cost(model: Model) -> dict[str, Any]:
    figure, axes = _figure()
    costs = np.minimum(model.costs, 1e100)  # matplotlib's own arithmetic would overflow
    axes.plot(model.cost_iterations + 1, costs, color=COLORS["line"])
    if costs.min() > 0 and costs.max() > 100 * costs.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    if model.cost_iterations[-1] >= 100:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="iteration", ylabel="cost J")
    return _picture("Cost", f"From {model.costs[0]:.4g} to {model.costs[-1]:.4g}.", figure)


def _roc(curves: metrics.Curves) -> dict[str, Any]:
    figure, axes = _square("false positive rate", "true positive rate")
    x, y = _thinned(*curves.roc)
    axes.fill_between(x, y, color=COLORS["area"], linewidth=0)
    axes.plot([0, 1], [0, 1], color=COLORS["faint"], linestyle=(0, (4, 4)), linewidth=1.2)
    axes.plot(x, y, color=COLORS["line"])
    text = f"Area {curves.roc_auc:.4f}; dashed line: random classifier."
    return _picture("ROC", text, figure)


def _precision_recall(curves: metrics.Curves, Y: NDArray[np.bool_]) -> dict[str, Any]:
    figure, axes = _square("recall", "precision")
    x, y = _thinned(curves.recall, curves.precision)
    x, y = np.concatenate([[0.0], x]), np.concatenate([y[:1], y])
    axes.fill_between(x, y, color=COLORS["area"], linewidth=0, step="pre")
    axes.axhline(Y.mean(), color=COLORS["faint"], linestyle=(0, (4, 4)), linewidth=1.2)
    axes.step(x, y, color=COLORS["line"], where="pre")
    text = f"Average precision {curves.average_precision:.4f}; dashed line: random classifier."
    return _picture("Precision and recall", text, figure)


def _calibration(A: NDArray[np.float64], Y: NDArray[np.bool_], by: str = "") -> dict[str, Any]:
    figure, axes = _square("predicted probability", "observed frequency")
    mean, share, rows = metrics.calibration(A, Y)
    # Wilson's 95% interval, which is valid near 0 and 1 and for few rows
    z2 = 1.96**2
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = np.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    most = min(1.0, 1.05 * max(mean.max(), (centre + half).max()))  # for a rare class, far below 1
    axes.set(xlim=(-0.02 * most, 1.02 * most), ylim=(-0.02 * most, 1.02 * most))
    axes.locator_params(nbins=5)
    axes.plot([0, 1], [0, 1], color=COLORS["faint"], linestyle=(0, (4, 4)), linewidth=1.2)
    axes.vlines(mean, centre - half, centre + half, color=COLORS["line"], alpha=0.5, linewidth=4)
    axes.plot(mean, share, color=COLORS["line"], linestyle="none", marker="o", markersize=6)
    text = f"A tenth of the rows per point{by}, with a 95% interval; dashed line: calibrated."
    return _picture("Calibration", text, figure)


def _probabilities(model: Model, A: NDArray[np.float64], Y: NDArray[np.bool_]) -> dict[str, Any]:
    """Draw the rows of each class over the log-odds, where probabilities near 0 lie apart."""
    figure, axes = _figure()
    log_odds = _log_odds(A)
    low, high = np.quantile(log_odds, [LEAST_SHARE, 1 - LEAST_SHARE])
    edges = np.linspace(min(low, -1.0) - 0.1, max(high, 1.0) + 0.1, 31)
    labels = [shown(value, LONGEST_LABEL) for value in model.classes.tolist()]
    for label, chosen, color in zip(labels, (~Y, Y), ("other", "line"), strict=True):
        rows = np.histogram(log_odds[chosen], edges)[0]
        axes.stairs(
            100 * rows / max(int(chosen.sum()), 1),
            edges,
            fill=True,
            color=COLORS[color],
            alpha=0.6,
            label=label,
        )
    at = float(_log_odds(np.array([model.threshold]))[0])
    if edges[0] < at < edges[-1]:
        axes.axvline(at, color=COLORS["faint"], linestyle=(0, (4, 4)), linewidth=1.2)
    ticks = [p for p in TICKS if edges[0] < _log_odds(np.array([p]))[0] < edges[-1]]
    ticks = ticks[:: 1 + len(ticks) // 8]
    axes.set_xticks(_log_odds(np.array(ticks)), [f"{100 * p:.6g}%" for p in ticks])
    axes.set(xlim=(edges[0], edges[-1]), xlabel=f"probability of {labels[1]}, on a log-odds scale")
    axes.set(ylabel="% of the rows of the class")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    text = (
        "How well the model separates the classes; it predicts the second to the right of the"
        " dashed line, the threshold."
    )
    return _picture("Probabilities", text, figure)


def _log_odds(A: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(A, 1e-9, 1 - 1e-9)
    found: NDArray[np.float64] = np.log(inside / (1 - inside))
    return found


def _square(x: str, y: str) -> tuple[Figure, Axes]:
    figure, axes = _figure()
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y)
    return figure, axes


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points that are about equally spaced along the curve."""
    at = _along(x, y)
    return x[at], y[at]


def _along(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return indices of at most MOST_POINTS points about equally spaced along a curve."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    length = np.cumsum(np.abs(np.diff(x, prepend=x[:1])) + np.abs(np.diff(y, prepend=y[:1])))
    at = np.searchsorted(length, np.linspace(0, length[-1], MOST_POINTS))
    return np.unique(np.concatenate([[0], at, [len(x) - 1]]))


def _picture(title: str, text: str, figure: Figure) -> dict[str, Any]:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    # Only attributes are changed, never text: a class may have any name.
    svg = ET.fromstring(out.getvalue())  # noqa: S314 (matplotlib has just written it)
    for name in "width", "height":  # the page sets these, and the fonts
        svg.attrib.pop(name)
    for element in svg.iter():
        for name, value in element.attrib.items():
            for stands_for, color in COLORS.items():
                value = value.replace(color, f"var(--{stands_for})")  # noqa: PLW2901
            if name == "style":
                value = re.sub(r"'DejaVu Sans'[^;]*", "system-ui, sans-serif", value)  # noqa: PLW2901
            element.set(name, value)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)  # a parser of HTML knows this prefix alone
    return {"title": title, "text": text, "svg": ET.tostring(svg, encoding="unicode")}
