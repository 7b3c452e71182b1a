/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gradient descent: the loop over iterations, and the update of w and b.
 *
 * Standardised features. The descent is that of (x - mean) / sd, with w_std = w sd and b_std = b +
 * sum w mean. Its state is kept as w and b nevertheless, so that a result can be trained on: since
 * w_std -= alpha dw_std is w -= alpha dw_std / sd, w needs no conversion at all. b_std does, twice
 * an iteration, and b can be huge where b_std is not (a column of 10^9 with deviation 10^-2 makes b
 * some 10^11, and its rounding 10^-5 in every Z). So the sum of w mean is made in twice the
 * precision, and what b cannot hold is carried as b_rest, except while |b| is at most 4096: there
 * b's own rounding, 5e-13, is harmless, and without a rest a descent that starts from a returned
 * w, b goes on bit for bit.
 */
#include <float.h>

#include "pass/pass.h"

#define REST_FREE_B 4096.0

static double magnitude(double value)
{
    return value < 0.0 ? -value : value;
}

/* NaN and infinities are not. */
static int is_within_range(double value)
{
    return magnitude(value) <= DBL_MAX;
}

/* ---- Twice the precision --------------------------------------------------------------------- */

typedef struct pair { /* the unevaluated sum high + low */
    double high, low;
} pair;

/* a + b, exactly (Knuth). */
static pair two_sum(double a, double b)
{
    const double s = a + b, v = s - a;
    const pair r = {s, (a - (s - v)) + (b - v)};
    return r;
}

/* a in halves of 26 bits (Veltkamp). */
static pair split(double a)
{
    const double scaled = 134217729.0 * a, high = scaled - (scaled - a);
    const pair r = {high, a - high};
    return r;
}

/* a b, exactly (Dekker), where neither overflows nor underflows. */
static pair two_product(double a, double b)
{
    const pair x = split(a), y = split(b);
    const double p = a * b;
    const pair r = {p, ((x.high * y.high - p) + x.high * y.low + x.low * y.high) + x.low * y.low};
    return r;
}

/* sum of w mean, as if computed in twice float64's precision (Ogita, Rump and Oishi, 2005). Means
 * too large for `split` lose the low half, which no w x could resolve either. */
static pair sum_w_mean(const double *w, const logreg_standardization *s, int64_t n_x)
{
    pair sum = {0.0, 0.0};
    for (int64_t j = 0; j < n_x; j++) {
        const double p = w[j] * s->mean[j];
        const double low = two_product(w[j], s->mean[j]).low;
        const pair next = two_sum(sum.high, p);
        sum.high = next.high;
        sum.low += next.low + (low - low == 0.0 ? low : 0.0) + w[j] * s->mean_rest[j];
    }
    return two_sum(sum.high, sum.low);
}

/* (a + a_rest) + sign * s, rounded to a pair. */
static pair add_pair(double a, double a_rest, double sign, pair s)
{
    const pair sum = two_sum(a, sign * s.high);
    return two_sum(sum.high, sum.low + (a_rest + sign * s.low));
}

/* ---- One iteration --------------------------------------------------------------------------- */

typedef struct gradient {
    double J, db, largest; /* largest = max(|dw|) */
    int within_range;      /* J, dw and db are finite */
} gradient;

static double smallest_sum(const logreg_data *data)
{
    return data->arithmetic == LOGREG_FLOAT32 ? LOGREG_SMALLEST_SUM_FLOAT32 : LOGREG_SMALLEST_SUM;
}

/* The root of the tree holds sums: turns the first n_x of it into dw, and returns the rest. */
static gradient finish(const logreg_pass *pass, double *root, double l2,
                       const logreg_standardization *s)
{
    const int64_t n_x = pass->data->n_x;
    const double *sums = root + logreg_padded(n_x), *w = pass->w;
    const double total = sums[LOGREG_SUM_WEIGHT];
    pair squares = {0.0, 0.0}; /* a plain sum of many loses digits of J */
    gradient g;
    g.J = sums[LOGREG_SUM_J] / total;
    g.db = sums[LOGREG_SUM_DB] / total;
    g.largest = 0.0;
    g.within_range = total >= smallest_sum(pass->data) && is_within_range(total);
    for (int64_t j = 0; j < n_x; j++) {
        const double sd = s ? s->sd[j] : 1.0, w_j = w[j] * sd;
        double dw = root[j];
        if (s) dw -= s->mean_rest[j] * sums[LOGREG_SUM_DB];
        dw /= total;
        if (s) dw = sd > 0.0 ? dw / sd : 0.0 * dw;
        if (l2 > 0.0) {
            dw += l2 * w_j;
            const pair next = two_sum(squares.high, w_j * w_j);
            squares.high = next.high;
            squares.low += next.low;
        }
        root[j] = dw;
        g.within_range &= is_within_range(dw);
        if (magnitude(dw) > g.largest) g.largest = magnitude(dw);
    }
    if (l2 > 0.0) g.J += 0.5 * l2 * (squares.high + squares.low);
    g.within_range &= is_within_range(g.J); /* so is db, where the weights sum to a number */
    return g;
}

/* b where a pass subtracts the means that it can hold: the rests of the means move into b. */
static double centred_b(double b_std, const double *w, const logreg_standardization *s, int64_t n_x)
{
    double b = b_std;
    if (s)
        for (int64_t j = 0; j < n_x; j++) b -= w[j] * s->mean_rest[j];
    return b;
}

static LOGREG_NOINLINE int descend(const logreg_data *data, const logreg_settings *settings,
                                   logreg_state *state, double *costs, int64_t iters,
                                   int64_t *n_costs, const logreg_run *run)
{
    const logreg_standardization *s = settings->standardization;
    const int64_t n_x = data->n_x;
    const double alpha = settings->alpha;
    double b = state->b, b_rest = state->b_rest;
    pair w_mean = {0.0, 0.0};
    int status = LOGREG_OK;
    logreg_pass pass;

    logreg_pass_open(&pass, data, run, s ? LOGREG_CENTRED_GRADIENT : LOGREG_GRADIENT,
                     s ? s->mean : NULL);
    memcpy(pass.w, state->w, (size_t)n_x * sizeof(double));
    if (s) w_mean = sum_w_mean(pass.w, s, n_x);
    *n_costs = 0;

    while (*n_costs < iters) {
        const double b_std = s ? add_pair(b, b_rest, 1.0, w_mean).high : b;
        double *root = logreg_pass_sum(&pass, centred_b(b_std, pass.w, s, n_x));
        if (root == NULL) {
            status = LOGREG_STOPPED;
            break;
        }
        const gradient g = finish(&pass, root, settings->l2, s);
        if (!g.within_range) {
            status = LOGREG_PASS_OVERFLOW;
            break;
        }
        costs[(*n_costs)++] = g.J;
        if (g.largest <= settings->tol && (settings->fixed_b || magnitude(g.db) <= settings->tol)) {
            status = LOGREG_CONVERGED;
            break;
        }

        int within_range = 1;
        for (int64_t j = 0; j < n_x; j++) {
            const double dw = s ? (s->sd[j] > 0.0 ? root[j] / s->sd[j] : 0.0) : root[j];
            pass.next_w[j] = pass.w[j] - alpha * dw;
            within_range &= is_within_range(pass.next_w[j]);
        }
        pair next_b = {settings->fixed_b ? b_std : b_std - alpha * g.db, 0.0};
        if (s) {
            w_mean = sum_w_mean(pass.next_w, s, n_x);
            next_b = add_pair(next_b.high, 0.0, -1.0, w_mean);
            if (magnitude(next_b.high) <= REST_FREE_B) next_b.low = 0.0;
        }
        if (!within_range || !is_within_range(next_b.high)) {
            status = LOGREG_UPDATE_OVERFLOW;
            break;
        }
        double *previous = pass.w;
        pass.w = pass.next_w;
        pass.next_w = previous;
        b = next_b.high;
        b_rest = next_b.low;
    }

    memcpy(state->w, pass.w, (size_t)n_x * sizeof(double));
    state->b = b;
    state->b_rest = b_rest;
    return status;
}

int logreg_descend(const logreg_data *data, const logreg_settings *settings, logreg_state *state,
                   double *costs, int64_t iters, int64_t *n_costs, const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = descend(data, settings, state, costs, iters, n_costs, run);
    logreg_fp_restore(found);
    return status;
}

static LOGREG_NOINLINE int cost_and_gradient(const logreg_data *data,
                                             const logreg_standardization *s, const double *w,
                                             double b, double l2, double *J, double *dw, double *db,
                                             const logreg_run *run)
{
    const int64_t n_x = data->n_x;
    logreg_pass pass;
    logreg_pass_open(&pass, data, run, s ? LOGREG_CENTRED_GRADIENT : LOGREG_GRADIENT,
                     s ? s->mean : NULL);
    memcpy(pass.w, w, (size_t)n_x * sizeof *w);
    if (s)
        for (int64_t j = 0; j < n_x; j++) pass.w[j] = s->sd[j] > 0.0 ? w[j] / s->sd[j] : 0.0;
    double *root = logreg_pass_sum(&pass, centred_b(b, pass.w, s, n_x));
    if (root == NULL) return LOGREG_STOPPED;
    const gradient g = finish(&pass, root, l2, s);
    if (!g.within_range) return LOGREG_PASS_OVERFLOW;
    *J = g.J;
    *db = g.db;
    memcpy(dw, root, (size_t)n_x * sizeof *dw);
    return LOGREG_OK;
}

int logreg_cost_and_gradient(const logreg_data *data, const logreg_standardization *standardization,
                             const double *w, double b, double l2, double *J, double *dw,
                             double *db, const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = cost_and_gradient(data, standardization, w, b, l2, J, dw, db, run);
    logreg_fp_restore(found);
    return status;
}
