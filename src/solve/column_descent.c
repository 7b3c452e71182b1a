/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The minimum of a model of J with an l1 penalty and bounds, by coordinate descent over the columns
 * of sparse X. The Hessian X diag(h) X' is never formed: a coordinate costs its stored values
 * (newGLMNET: Yuan, Ho and Lin 2012). b is at its best for every w all the time.
 *
 * A round is a sweep over all coordinates that may move, some over those that are not 0, and a step
 * on the face that these are on (column_face.c). As long as the model gains much, its minimum is
 * soon worth another model, and sweeps end as soon as what they leave is, by the ratio of their
 * gains, a small share. Where it gains little, the search may be at its end, and a ratio near 1
 * hides how much is left: then only a step on the face that gains little ends it.
 */
#include "solve/columns.h"
#include "solve/vectors.h"

/* Of the sum of squares of a column: below it, a variance is rounding. */
#define DEAD 1e-14
#define WORTHLESS 0.125 /* a gain that is not searched for, as a share of `enough` */

enum {
    ROUNDS = 100,
    SWEEPS = 4, /* over the coordinates that are not 0, before a step on the face */
    OF_EXAMPLES = 3,
    OF_FEATURES = 7
};

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t numbers(int64_t n_x, int64_t m, int64_t n_values)
{
    return (size_t)(n_values + OF_EXAMPLES * m + OF_FEATURES * n_x);
}

size_t logreg_column_workspace_size(int64_t n_x, int64_t m, int64_t n_values)
{
    return numbers(n_x, m, n_values) * sizeof(double) + (size_t)(2 * n_x) * sizeof(int64_t);
}

static void share_memory(logreg_column_search *s, void *memory)
{
    const logreg_columns *X = &s->model->X;
    s->values = memory;
    s->root = s->values + X->starts[X->n_x];
    s->y = s->root + X->m;
    s->along = s->y + X->m;
    s->start = s->along + X->m;
    s->slope = s->start + X->n_x;
    s->mu = s->slope + X->n_x;
    s->curvature = s->mu + X->n_x;
    s->residual = s->curvature + X->n_x;
    s->step = s->residual + X->n_x;
    s->direction = s->step + X->n_x;
    s->working = (int64_t *)(void *)(s->direction + X->n_x);
    s->active = s->working + X->n_x;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Whether coordinate j may move from where it is: those at 0 whose slope their penalty outweighs
 * have to wait for the next model. */
static int may_move(const logreg_column_search *s, int64_t j)
{
    return s->v[j] != 0.0 || logreg_magnitude(s->slope[j]) > s->of.l1[j] || s->of.l1[j] == 0.0;
}

/* The mean of column j, by b, and the slope at the best b. */
static void read_mean(logreg_column_search *s, int64_t j)
{
    const logreg_columns *X = &s->model->X;
    double sum = 0.0;
    for (int64_t k = X->starts[j]; k < X->starts[j + 1]; k++) {
        const double root = s->root[X->examples[k]];
        sum += root * root * X->values[k];
    }
    s->mu[j] = sum / s->S;
    s->slope[j] -= s->model->db * s->mu[j];
}

/* Column j, and its curvature. */
static void read_column(logreg_column_search *s, int64_t j)
{
    const logreg_columns *X = &s->model->X;
    double square = 0.0;
    for (int64_t k = X->starts[j]; k < X->starts[j + 1]; k++) {
        s->values[k] = s->root[X->examples[k]] * X->values[k];
        square += s->values[k] * s->values[k];
    }
    const double variance = square - s->S * s->mu[j] * s->mu[j];
    s->curvature[j] = (variance > DEAD * square ? variance : 0.0) + s->model->l2[j];
}

/* Takes v to its bounds, and finds what may move. */
static int begin(logreg_column_search *s)
{
    const logreg_column_model *model = s->model;
    const logreg_columns *X = &model->X;
    for (int64_t i = 0; i < X->m; i++) s->root[i] = logreg_sqrt(model->h[i] / model->total);
    memset(s->y, 0, (size_t)X->m * sizeof(double));
    memcpy(s->start, s->v, (size_t)X->n_x * sizeof(double));
    memcpy(s->slope, model->slope, (size_t)X->n_x * sizeof(double));
    memset(s->mu, 0, (size_t)X->n_x * sizeof(double));
    s->S = model->fixed_b ? 0.0 : logreg_dot(s->root, s->root, X->m);
    s->shift = 0.0;
    s->n_working = 0;
    for (int64_t j = 0; j < X->n_x; j++) {
        if (logreg_stop_due(&s->stop, 0, 2 * logreg_column_size(s, j))) return LOGREG_STOPPED;
        if (s->S > 0.0) read_mean(s, j);
        if (!may_move(s, j)) continue;
        read_column(s, j);
        s->working[s->n_working++] = j;
    }
    return LOGREG_OK;
}

/* ---- Sweeps ---------------------------------------------------------------------------------- */

/* Moves coordinate j to where it is best; returns what is gained. */
static double improve(logreg_column_search *s, int64_t j)
{
    const double from = s->v[j], h = s->curvature[j], slope = logreg_column_slope(s, j);
    const double to = logreg_best(&s->of, j, from, slope, h);
    if (to == from) return 0.0;
    s->v[j] = to;
    logreg_column_add(s, j, to - from, s->y);
    s->shift += s->mu[j] * (to - from);
    return logreg_gain(&s->of, j, from, to, slope, h);
}

static int sweep(logreg_column_search *s, const int64_t *of, int64_t n, double *gain)
{
    *gain = 0.0;
    for (int64_t k = 0; k < n; k++) {
        if (logreg_stop_due(&s->stop, 0, 2 * logreg_column_size(s, of[k]))) return LOGREG_STOPPED;
        *gain += improve(s, of[k]);
    }
    return LOGREG_OK;
}

static void find_active(logreg_column_search *s)
{
    s->n_active = 0;
    for (int64_t k = 0; k < s->n_working; k++) {
        const int64_t j = s->working[k];
        if (s->v[j] != 0.0 || s->of.l1[j] == 0.0) s->active[s->n_active++] = j;
    }
}

/* What sweeps would still gain, if the ratio of two gains in a row stayed. */
static double expected(double before, double gain)
{
    const double ratio = gain / before;
    return ratio < 1.0 ? gain * ratio / (1.0 - ratio) : before + gain;
}

/* Sweeps over the active coordinates; `gain` is that of the sweep before. *is_enough: another model
 * would gain more than they. */
static int sweep_active(logreg_column_search *s, double gain, double *total, int *is_enough)
{
    *is_enough = 0;
    for (int k = 0; k < SWEEPS && gain > 0.0 && !*is_enough; k++) {
        const double before = gain;
        if (sweep(s, s->active, s->n_active, &gain)) return LOGREG_STOPPED;
        *total += gain;
        *is_enough = *total > s->enough && expected(before, gain) <= s->tol * *total;
    }
    return LOGREG_OK;
}

static LOGREG_NOINLINE int minimize(logreg_column_search *s, double *b, double *decrease)
{
    const logreg_column_model *model = s->model;
    double total = 0.0, gain, least = 0.0;
    if (begin(s)) return LOGREG_STOPPED;
    int settled = 0, is_enough;
    for (int round = 0; round < ROUNDS; round++) {
        if (sweep(s, s->working, s->n_working, &gain)) return LOGREG_STOPPED;
        total += gain;
        least = s->tol * total;
        if (least < WORTHLESS * s->enough) least = WORTHLESS * s->enough;
        if (gain == 0.0 || (settled && gain <= least)) break;
        find_active(s);
        if (sweep_active(s, gain, &total, &is_enough)) return LOGREG_STOPPED;
        if (is_enough) break;
        if (logreg_step_on_column_face(s, least, &gain)) return LOGREG_STOPPED;
        total += gain;
        settled = gain <= least;
    }
    if (s->S > 0.0) {
        *b -= model->db / s->S + s->shift;
        total += 0.5 * model->db * (model->db / s->S);
    }
    *decrease = total;
    return LOGREG_OK;
}

int logreg_minimize_by_columns(const logreg_column_model *model, double tol, double enough,
                               double *v, double *b, double *decrease, const logreg_run *run)
{
    logreg_column_search s = {.model = model, .tol = tol, .enough = enough, .v = v};
    s.of = (logreg_penalized){model->l1, model->lower, model->upper};
    share_memory(&s, run->workspace);
    logreg_stop_open(&s.stop, run);
    LOGREG_IN_DEFAULT_MODES(int, minimize(&s, b, decrease));
}
