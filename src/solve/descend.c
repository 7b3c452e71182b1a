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

/* Where a descent is: w of the raw features, b, and the sum of w mean. */
typedef struct place {
    double *w, *next_w;
    twofold b, w_mean;
} place;

static double b_std_of(const place *p, const logreg_standardization *s)
{
    return is_centred(s) ? add_twofold(p->b.hi, p->b.lo, 1.0, p->w_mean).hi : p->b.hi;
}

/* One update, given the gradient there, with dw in root. LOGREG_OK, LOGREG_STOPPED, which leaves
 * the place as it was, or how the descent ends. */
static int update(place *p, const logreg_settings *settings, const gradient *g, const double *root,
                  int64_t n_x, logreg_stop *stop)
{
    const logreg_standardization *s = settings->standardization;
    int within_range = 1;
    if (g->largest <= settings->tol && (settings->fixed_b || magnitude(g->db) <= settings->tol))
        return LOGREG_CONVERGED;
    for (int64_t j = 0; j < n_x; j++) {
        if (stopped_at(stop, j)) break;
        p->next_w[j] = p->w[j] - settings->alpha * raw_weight(s, root[j], j);
        within_range &= is_within_range(p->next_w[j]);
    }
    const double b_std = b_std_of(p, s);
    twofold w_mean = p->w_mean;
    twofold next_b = {settings->fixed_b ? b_std : b_std - settings->alpha * g->db, 0.0};
    if (is_centred(s)) {
        w_mean = sum_w_mean(stop, p->next_w, s, n_x);
        next_b = add_twofold(next_b.hi, 0.0, -1.0, w_mean);
        if (magnitude(next_b.hi) <= LARGEST_B_WITHOUT_LO) next_b.lo = 0.0;
    }
    if (stop && logreg_stop_seen(stop)) return LOGREG_STOPPED;
    if (!within_range || !is_within_range(next_b.hi)) return LOGREG_UPDATE_OVERFLOW;
    double *previous = p->w;
    p->w = p->next_w;
    p->next_w = previous;
    p->b = next_b;
    p->w_mean = w_mean;
    return LOGREG_OK;
}

static LOGREG_NOINLINE int descend(const logreg_data *data, const logreg_settings *settings,
                                   logreg_state *state, double *costs, int64_t iters,
                                   int64_t *n_costs, const logreg_run *run)
{
    const logreg_standardization *s = settings->standardization;
    const int64_t n_x = data->n_x, padded = logreg_padded(n_x);
    place p = {.next_w = run->workspace, .b = {state->b, state->b_lo}};
    int status = LOGREG_OK;
    logreg_pass pass;

    /* next_w is before the workspace of the pass; padded, as pass.w */
    memset(p.next_w + n_x, 0, (size_t)(padded - n_x) * sizeof *p.next_w);
    logreg_pass_open(&pass, data, NULL, &logreg_gradient_sums, is_centred(s) ? s->mean : NULL, run,
                     p.next_w + padded);
    p.w = pass.w;
    logreg_pass_copy(&pass, p.w, state->w, n_x);
    if (is_centred(s)) p.w_mean = sum_w_mean(&pass.stop, p.w, s, n_x);
    *n_costs = 0;

    while (*n_costs < iters && status == LOGREG_OK) {
        pass.w = p.w;
        logreg_nodes *nodes =
            logreg_pass_sum(&pass, logreg_centred_b(b_std_of(&p, s), p.w, s, n_x));
        status = nodes ? LOGREG_OK : LOGREG_STOPPED;
        if (nodes == NULL) break;
        double *root = logreg_root(&logreg_gradient_sums, n_x, nodes, pass.plan.end);
        const gradient g =
            logreg_finish(&pass.stop, root, n_x, data->arithmetic, p.w, settings->l2, s);
        status = logreg_stop_seen(&pass.stop) ? LOGREG_STOPPED
                 : g.within_range             ? LOGREG_OK
                                              : LOGREG_PASS_OVERFLOW;
        if (status != LOGREG_OK) break;
        costs[*n_costs] = g.J;
        status = update(&p, settings, &g, root, n_x, &pass.stop);
        *n_costs += status != LOGREG_STOPPED;
    }

    if (*n_costs > 0) memcpy(state->w, p.w, (size_t)n_x * sizeof(double));
    state->b = p.b.hi;
    state->b_lo = p.b.lo;
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

/* ---- In parts -------------------------------------------------------------------------------- */

static place place_of(const logreg_settings *settings, const logreg_state *state, double *next_w,
                      int64_t n_x)
{
    const logreg_standardization *s = settings->standardization;
    place p = {.w = state->w, .next_w = next_w, .b = {state->b, state->b_lo}};
    if (is_centred(s)) p.w_mean = sum_w_mean(NULL, p.w, s, n_x);
    return p;
}

logreg_point logreg_descent_point(const logreg_settings *settings, const logreg_state *state,
                                  int64_t n_x)
{
    const logreg_fp_modes found = logreg_fp_default();
    const place p = place_of(settings, state, NULL, n_x);
    const logreg_point point = {state->w, b_std_of(&p, settings->standardization),
                                settings->standardization, 1};
    logreg_fp_restore(found);
    return point;
}

static LOGREG_NOINLINE int descend_by(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                      logreg_type arithmetic, const logreg_settings *settings,
                                      logreg_state *state, double *next_w, double *J)
{
    place p = place_of(settings, state, next_w, n_x);
    double *root = logreg_root(&logreg_gradient_sums, n_x, nodes, n_segments);
    if (root == NULL) return LOGREG_INCOMPLETE;
    const gradient g =
        logreg_finish(NULL, root, n_x, arithmetic, p.w, settings->l2, settings->standardization);
    if (!g.within_range) return LOGREG_PASS_OVERFLOW;
    *J = g.J;
    const int status = update(&p, settings, &g, root, n_x, NULL);
    if (p.w != state->w) memcpy(state->w, p.w, (size_t)n_x * sizeof(double));
    state->b = p.b.hi;
    state->b_lo = p.b.lo;
    return status;
}

int logreg_descend_by(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, logreg_type arithmetic,
                      const logreg_settings *settings, logreg_state *state, double *next_w,
                      double *J)
{
    LOGREG_IN_DEFAULT_MODES(
        int, descend_by(nodes, n_segments, n_x, arithmetic, settings, state, next_w, J));
}
