/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gradient descent: the loop over iterations, and the update of w and b.
 *
 * Standardized features. The descent is that of (x - mean) / sd, with w_std = w sd and b_std = b +
 * sum w mean. Its state is kept as w and b nevertheless, so that a result can be trained on: since
 * w_std -= alpha dw_std is w -= alpha dw_std / sd, w needs no conversion at all. b_std does, twice
 * per iteration, and b can be huge where b_std is not (a column of 10^9 with deviation 10^-2 makes
 * b some 10^11, and its rounding 10^-5 in every Z). So the sum of w mean is made in twice the
 * precision, and b_lo carries the low-order part of b, except while |b| is at most 4096: there b's
 * own rounding, 5e-13, is harmless, and without a b_lo a descent that starts from a returned w, b
 * continues bit for bit.
 */
#include "solve/gradient.h"

#define LARGEST_B_WITHOUT_LO 4096.0

/* sum of w mean, as if computed in twice float64's precision (Ogita, Rump and Oishi, 2005). Means
 * too large for `split` lose the low half, which no w x could resolve either. */
static twofold sum_w_mean(logreg_stop *stop, const double *w, const logreg_standardization *s,
                          int64_t n_x)
{
    twofold sum = {0.0, 0.0};
    for (int64_t j = 0; j < n_x; j++) {
        if (stopped_at(stop, j)) break;
        const double p = w[j] * s->mean[j];
        const double lo = two_product(w[j], s->mean[j]).lo;
        const twofold next = two_sum(sum.hi, p);
        sum.hi = next.hi;
        sum.lo += next.lo + (lo - lo == 0.0 ? lo : 0.0) + w[j] * s->mean_lo[j];
    }
    return two_sum(sum.hi, sum.lo);
}

static LOGREG_NOINLINE int descend(const logreg_data *data, const logreg_settings *settings,
                                   logreg_state *state, double *costs, int64_t iters,
                                   int64_t *n_costs, const logreg_run *run)
{
    const logreg_standardization *s = settings->standardization;
    const int centred = is_centred(s);
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x);
    const double alpha = settings->alpha;
    double *next_w = run->workspace; /* before the workspace of the pass; padded, as pass.w */
    double b = state->b, b_lo = state->b_lo;
    twofold w_mean = {0.0, 0.0};
    int status = LOGREG_OK;
    logreg_pass pass;

    memset(next_w + n_x, 0, (size_t)(padded - n_x) * sizeof *next_w);
    logreg_pass_open(&pass, data, NULL, &logreg_gradient_sums, centred ? s->mean : NULL, run,
                     next_w + padded);
    logreg_pass_copy(&pass, pass.w, state->w, n_x);
    if (centred) w_mean = sum_w_mean(&pass.stop, pass.w, s, n_x);
    *n_costs = 0;

    while (*n_costs < iters) {
        const double b_std = centred ? add_twofold(b, b_lo, 1.0, w_mean).hi : b;
        logreg_nodes *nodes = logreg_pass_sum(&pass, logreg_centred_b(b_std, pass.w, s, n_x));
        if (nodes == NULL) {
            status = LOGREG_STOPPED;
            break;
        }
        double *root = logreg_root(&logreg_gradient_sums, n_x, nodes, pass.plan.end);
        const gradient g =
            logreg_finish(&pass.stop, root, n_x, data->arithmetic, pass.w, settings->l2, s);
        if (logreg_stop_seen(&pass.stop)) {
            status = LOGREG_STOPPED;
            break;
        }
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
            if (stopped_at(&pass.stop, j)) break;
            next_w[j] = pass.w[j] - alpha * raw_weight(s, root[j], j);
            within_range &= is_within_range(next_w[j]);
        }
        twofold next_b = {settings->fixed_b ? b_std : b_std - alpha * g.db, 0.0};
        if (centred) {
            w_mean = sum_w_mean(&pass.stop, next_w, s, n_x);
            next_b = add_twofold(next_b.hi, 0.0, -1.0, w_mean);
            if (magnitude(next_b.hi) <= LARGEST_B_WITHOUT_LO) next_b.lo = 0.0;
        }
        if (logreg_stop_seen(&pass.stop)) {
            (*n_costs)--;
            status = LOGREG_STOPPED;
            break;
        }
        if (!within_range || !is_within_range(next_b.hi)) {
            status = LOGREG_UPDATE_OVERFLOW;
            break;
        }
        double *previous = pass.w;
        pass.w = next_w;
        next_w = previous;
        b = next_b.hi;
        b_lo = next_b.lo;
    }

    if (*n_costs > 0) memcpy(state->w, pass.w, (size_t)n_x * sizeof(double));
    state->b = b;
    state->b_lo = b_lo;
    return status;
}

int logreg_descend(const logreg_data *data, const logreg_settings *settings, logreg_state *state,
                   double *costs, int64_t iters, int64_t *n_costs, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, descend(data, settings, state, costs, iters, n_costs, run));
}

size_t logreg_workspace_size(const logreg_data *data, int centred, int n_threads)
{
    const logreg_plan plan = logreg_plan_of(data, NULL, &logreg_gradient_sums, centred, n_threads);
    return (size_t)logreg_padded(data->n_x) * sizeof(double) + logreg_workspace_of(&plan).size;
}
