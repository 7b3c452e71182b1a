# SPDX-License-Identifier: BSD-3-Clause
"""What inference found: statistics of the parameters and of the model, and their table."""

from __future__ import annotations

import html
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _input

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["classical", "HC0", "HC1", "cluster"]
ERRORS = {
    "classical": "standard errors from the Hessian",
    "HC0": "robust standard errors (HC0)",
    "HC1": "robust standard errors (HC1)",
    "cluster": "standard errors by cluster",
}
MOST_ROWS = 60  # of a printed table


class Inference:
    """How sure the parameters of a logistic regression are; prints as a table.

    The parameters are w in the order of the features and then b, unless b was not fitted. With
    several classes they are those of each class less those of the reference, class by class. With
    k parameters:

    Attributes
    ----------
    names : tuple of k strings
        The columns of the data frame, or x0, x1, ...; then "intercept".
    coefficients : ndarray of shape (k,)
        w and b, or these differences.
    covariance : ndarray of shape (k, k)
        Of the coefficients.
    standard_errors : ndarray of shape (k,)
        The square roots of its diagonal.
    z : ndarray of shape (k,)
        Coefficients divided by their standard errors (Wald).
    p_values : ndarray of shape (k,)
        Two-sided, from the normal distribution: the probability of a z so far from 0 if the
        coefficient were 0.
    odds_ratios : ndarray of shape (k,)
        exp(coefficient): by what the odds are multiplied where the feature grows by 1; with several
        classes, the odds of a class against the reference (relative-risk ratios).
    kind : {"classical", "HC0", "HC1", "cluster"}
        Which standard errors these are.
    l2 : float
        The penalty. With one, these are no classical standard errors: see `inference`.
    firth : bool
        Whether the coefficients are those with Firth's penalty.
    n_obs : float
        The number of examples, or the sum of their weights.
    log_likelihood, null_log_likelihood : float
        Of the labels: with w and b, and with b alone.
    reference : int or None
        The class that others are compared with; None where Y has one output.
    classes : tuple
        The classes that are compared with it, K - 1, or none where Y has one output.
    lr_statistic, lr_p_value : float
        The likelihood-ratio test against b alone: twice the difference of the log-likelihoods, and
        its p-value from the chi-squared distribution with n_x degrees of freedom, or (K - 1) n_x.
    mcfadden : float
        McFadden's R2: 1 - log_likelihood / null_log_likelihood.
    aic, bic : float
        2 k - 2 log_likelihood (Akaike), and log(n_obs) k - 2 log_likelihood (Schwarz).
    """

    __module__ = "logreg_c"

    def __init__(
        self,
        coefficients: NDArray[np.float64],
        covariance: NDArray[np.float64],
        *,
        kind: Kind,
        l2: float,
        firth: bool,
        n_obs: float,
        log_likelihood: float,
        null_log_likelihood: float,
        names: tuple[str, ...],
        reference: int | str | None = None,
        classes: tuple[int | str, ...] = (),
    ) -> None:
        self.coefficients = coefficients
        self.covariance = covariance
        self.kind = kind
        self.l2 = l2
        self.firth = firth
        self.n_obs = n_obs
        self.log_likelihood = log_likelihood
        self.null_log_likelihood = null_log_likelihood
        self.names = names
        self.reference = reference
        self.classes = classes

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def z(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):  # an error may be below all numbers
            return self.coefficients / self.standard_errors

    @property
    def p_values(self) -> NDArray[np.float64]:
        return np.array([math.erfc(abs(z) / math.sqrt(2.0)) for z in self.z.tolist()])

    @property
    def odds_ratios(self) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.exp(self.coefficients)

    @property
    def lr_statistic(self) -> float:
        return max(0.0, 2.0 * (self.log_likelihood - self.null_log_likelihood))

    @property
    def lr_p_value(self) -> float:
        return chi2_tail(self.lr_statistic, self._slopes)

    @property
    def mcfadden(self) -> float:
        if self.null_log_likelihood == 0.0:
            return math.nan
        return 1.0 - self.log_likelihood / self.null_log_likelihood

    @property
    def aic(self) -> float:
        return 2.0 * len(self.names) - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        return math.log(self.n_obs) * len(self.names) - 2.0 * self.log_likelihood

    @property
    def _slopes(self) -> int:
        """The number of parameters that belong to features."""
        intercepts = max(1, len(self.classes)) if self.names[-1:] == ("intercept",) else 0
        return len(self.names) - intercepts

    def interval(self, level: float = 0.95) -> NDArray[np.float64]:
        """Compute confidence intervals of the coefficients (Wald).

        Parameters
        ----------
        level : float, optional
            The confidence level, between 0 and 1.

        Returns
        -------
        ndarray of shape (k, 2)
            Lower and upper ends. Those of the odds ratios are their exponentials.

        Raises
        ------
        ValueError
            The level is not between 0 and 1.
        TypeError
            The level is no number.
        """
        level = _input.number(level, "level")
        if not 0.0 < level < 1.0:
            msg = f"level is {level:g}; expected a number between 0 and 1, such as 0.95"
            raise ValueError(msg)
        reach = -NormalDist().inv_cdf((1.0 - level) / 2.0) * self.standard_errors
        return np.stack([self.coefficients - reach, self.coefficients + reach], axis=1)

    def table(self, level: float = 0.95) -> dict[str, Any]:
        """Return the columns of the table, which a data frame takes as they are.

        Parameters
        ----------
        level : float, optional
            Of the confidence intervals.

        Returns
        -------
        dict of str to array or tuple of k values
            "term", "coefficient", "standard error", "z", "p", "lower", "upper", "odds ratio"; with
            several classes, "class" comes first.
        """
        lower, upper = self.interval(level).T
        each = len(self.names) // max(1, len(self.classes))
        of_parameters = tuple(name for name in self.classes for _ in range(each))
        return ({"class": of_parameters} if self.classes else {}) | {
            "term": tuple(map(_visible, self.names)),
            "coefficient": self.coefficients,
            "standard error": self.standard_errors,
            "z": self.z,
            "p": self.p_values,
            "lower": lower,
            "upper": upper,
            "odds ratio": self.odds_ratios,
        }

    def _facts(self) -> list[str]:
        """Return what is said above the table."""
        fit = f"log-likelihood {self.log_likelihood:.6g}, McFadden's R2 {self.mcfadden:.4f}"
        test = (
            f"against no features: chi2({self._slopes}) = {self.lr_statistic:.5g}, "
            f"p = {_p(self.lr_p_value)}"
        )
        facts = [
            f"{self.n_obs:g} examples, {ERRORS[self.kind]}, 95 % intervals",
            f"{fit}, AIC {self.aic:.6g}, BIC {self.bic:.6g}",
            test,
        ]
        if self.classes:
            facts.append(f"Each class is compared with class {self.reference}.")
        if self.l2 > 0.0:
            facts.append(
                f"The penalty l2 = {self.l2:g} pulls the weights toward 0: these are not classical "
                "standard errors, and p-values and intervals do not have their usual meaning."
            )
        if self.firth:
            facts.append("The coefficients have Firth's penalty, the log-likelihood has none.")
        return facts

    def _cells(self) -> list[list[str]]:
        """Return the header and the rows as text; a long table without its middle."""
        table = self.table()
        terms = table.pop("term")
        if self.classes:
            pairs = zip(table.pop("class"), terms, strict=True)
            terms = [f"{_visible(str(name))}: {term}" for name, term in pairs]
        others = table.items()
        columns = [terms, *([_shown(name, v) for v in values] for name, values in others)]
        rows = [["", *(name for name, _ in others)], *map(list, zip(*columns, strict=True))]
        more = len(rows) - 1 - MOST_ROWS
        if more > 0:
            half = MOST_ROWS // 2
            rows[1 + half : 1 + half + more] = [[f"({more} more)", *[""] * len(others)]]
        return rows

    def __repr__(self) -> str:
        rows = self._cells()
        widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
        lines = [
            "  ".join(
                text.rjust(width) if j else text.ljust(width)
                for j, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*self._facts(), "", *lines])

    def _repr_html_(self) -> str:
        """Show the table as notebooks do."""
        header, *rows = self._cells()
        cells = "".join(f"<th style='text-align:right'>{text}</th>" for text in header)
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            + "".join(f"<td style='text-align:right'>{text}</td>" for text in texts)
            + "</tr>"
            for name, *texts in rows
        )
        facts = "<br>".join(html.escape(fact) for fact in self._facts())
        return (
            f"<div><p>{facts}</p><table style='color:inherit;font:inherit'>"
            f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _shown(column: str, value: float) -> str:
    return _p(value) if column == "p" else f"{value:#.5g}"


def _p(p: float) -> str:
    return f"{p:.4f}" if p >= 1e-4 or p != p else f"{p:.1e}"  # noqa: PLR0124 (NaN is not itself)


def _visible(name: str) -> str:
    """Escape control characters, which could disturb a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def chi2_tail(x: float, df: int) -> float:
    """Return P(chi-squared with `df` degrees of freedom > x), by its finite series.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
    """
    half, start = x / 2.0, 0.5 * (df % 2)
    if half == 0.0 or df == 0:
        return 1.0 if half == 0.0 else 0.0
    powers = [start + k for k in range(df // 2)]
    terms = [math.exp(-half + a * math.log(half) - math.lgamma(a + 1.0)) for a in powers]
    return min(1.0, math.fsum([*terms, math.erfc(math.sqrt(half)) if df % 2 else 0.0]))
