/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The minimum of a quadratic with an l1 penalty and bounds, by coordinate descent.
 *
 * A round is a sweep over all coordinates, some over those that are not 0, and a step of Newton's
 * method on the face: the coordinates that are neither 0 nor at a bound, with their signs. Without
 * it, sweeps that gain little because features are correlated would look like the end. A coordinate
 * that would change its sign becomes 0 instead, or changes it if that gains more, and one that
 * would leave its bounds stays at the bound. If neither gains anything, the step ends where the
 * first coordinate reaches 0 or its bound.
 */
#include <float.h>

#include "platform/stop.h"
#include "solve/penalized.h"
#include "solve/vectors.h"

#define LEAST_JITTER 1e-12 /* on the unit diagonal of a face, where columns may be collinear */
#define LARGEST_JITTER 1e-5

enum {
    ROUNDS = 500,
    SWEEPS = 8,           /* over the coordinates that are not 0, before a step on the face, */
    FACE_OF_A_SWEEP = 32, /* and one more for so many of them, as the step costs more */
    ALIGNMENT = 64
};

typedef struct search {
    const logreg_quadratic *q;
    logreg_penalized of;
    double *v, *slope;       /* where the search is, and the slope of the quadratic there */
    double *to, *change;     /* where v goes on a face; H times the step */
    double *unit, *solution; /* 1 / sqrt(H_jj) of a face; its Newton step */
    double *factor;
    int64_t *active; /* coordinates that are not 0, or have no penalty */
    int64_t n_active;
    logreg_stop stop;
    const logreg_run *run;
} search;

static size_t factor_room(int64_t n, int n_threads)
{
    const size_t size = logreg_cholesky_workspace_size(n, n_threads);
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t logreg_quadratic_workspace_size(int64_t n, int n_threads)
{
    return factor_room(n, n_threads) + (size_t)(n * n + 4 * n) * sizeof(double) +
           (size_t)n * sizeof(int64_t);
}

/* ---- Coordinates ----------------------------------------------------------------------------- */

/* Moves coordinate j to where it is best; returns what is gained. */
static double improve(search *s, int64_t j)
{
    const double *row = s->q->H + j * s->q->n;
    const double from = s->v[j], slope = s->slope[j], h = row[j];
    const double to = logreg_best(&s->of, j, from, slope, h);
    if (to == from) return 0.0;
    s->v[j] = to;
    logreg_add_multiple(s->slope, to - from, row, s->q->n);
    return logreg_gain(&s->of, j, from, to, slope, h);
}

static double sweep_all(search *s)
{
    double gain = 0.0;
    for (int64_t j = 0; j < s->q->n; j++) gain += improve(s, j);
    return gain;
}

static double sweep_active(search *s)
{
    double gain = 0.0;
    for (int64_t k = 0; k < s->n_active; k++) gain += improve(s, s->active[k]);
    return gain;
}

static void find_active(search *s)
{
    s->n_active = 0;
    for (int64_t j = 0; j < s->q->n; j++)
        if (s->v[j] != 0.0 || s->q->l1[j] == 0.0) s->active[s->n_active++] = j;
}

/* ---- Faces ----------------------------------------------------------------------------------- */

/* Keeps the active coordinates that a step may change. */
static void keep_face(search *s)
{
    const logreg_quadratic *q = s->q;
    int64_t n = 0;
    for (int64_t k = 0; k < s->n_active; k++) {
        const int64_t j = s->active[k];
        const double h = q->H[j * q->n + j];
        if (!(h > 0.0 && logreg_on_face(&s->of, j, s->v[j]))) continue;
        s->active[n] = j;
        s->unit[n++] = 1.0 / logreg_sqrt(h);
    }
    s->n_active = n;
}

/* Newton's step on the face, in `solution`; 0 if its Hessian cannot be factored. */
static int solve_face(search *s)
{
    const logreg_quadratic *q = s->q;
    const int64_t n = s->n_active;
    int64_t failed = 1;
    for (double jitter = LEAST_JITTER; failed && jitter < LARGEST_JITTER; jitter *= 100.0) {
        for (int64_t i = 0; i < n; i++) {
            const double *row = q->H + s->active[i] * q->n;
            for (int64_t k = 0; k < i; k++)
                s->factor[i * n + k] = row[s->active[k]] * s->unit[i] * s->unit[k];
            s->factor[i * n + i] = 1.0 + jitter;
        }
        failed = logreg_cholesky(s->factor, n, 0.0, s->run);
        if (failed < 0) return 0;
    }
    if (failed) return 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = s->active[i];
        s->solution[i] = -logreg_face_slope(&s->of, j, s->v[j], s->slope[j]) * s->unit[i];
    }
    logreg_solve_lower(s->factor, n, s->solution);
    logreg_solve_upper(s->factor, n, s->solution);
    for (int64_t i = 0; i < n; i++) s->solution[i] *= s->unit[i];
    return 1;
}

/* What this share of the step gains, with the changes that it makes. */
static double gain_of(search *s, double share, int signs_may_change)
{
    const logreg_quadratic *q = s->q;
    double gain = 0.0;
    for (int64_t j = 0; j < q->n; j++) s->change[j] = 0.0;
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        s->to[i] = logreg_allowed(&s->of, j, s->v[j], share * s->solution[i], signs_may_change);
        const double step = s->to[i] - s->v[j];
        if (step != 0.0) logreg_add_multiple(s->change, step, q->H + j * q->n, q->n);
    }
    for (int64_t i = 0; i < s->n_active; i++) {
        const int64_t j = s->active[i];
        gain -= (s->to[i] - s->v[j]) * (s->slope[j] + 0.5 * s->change[j]) +
                q->l1[j] * (logreg_magnitude(s->to[i]) - logreg_magnitude(s->v[j]));
    }
    return gain > 0.0 && gain <= DBL_MAX ? gain : 0.0;
}

/* Takes the step that gains most: to signs as they are or to others, else to the first stop. */
static double step_on_face(search *s)
{
    keep_face(s);
    if (s->n_active == 0 || !solve_face(s)) return 0.0;
    const double kept = gain_of(s, 1.0, 0);
    double gain = gain_of(s, 1.0, 1);
    if (gain <= kept) {
        const double stop = logreg_first_stop(&s->of, s->active, s->n_active, s->v, s->solution);
        gain = gain_of(s, kept > 0.0 ? 1.0 : stop, 0);
    }
    if (gain == 0.0) return 0.0;
    for (int64_t i = 0; i < s->n_active; i++) s->v[s->active[i]] = s->to[i];
    logreg_add_multiple(s->slope, 1.0, s->change, s->q->n);
    return gain;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static LOGREG_NOINLINE int minimize(search *s, double tol, double *decrease)
{
    const int64_t n = s->q->n;
    double total = 0.0;
    for (int64_t j = 0; j < n; j++) {
        const double to = logreg_within(&s->of, j, s->v[j]), step = to - s->v[j];
        if (step != 0.0) logreg_add_multiple(s->slope, step, s->q->H + j * n, n);
        s->v[j] = to;
    }
    int settled = 0; /* the last step on a face gained nothing worth another */
    for (int round = 0; round < ROUNDS; round++) {
        double gain = sweep_all(s);
        total += gain;
        if (settled && gain <= tol * total) break;
        find_active(s);
        const int64_t sweeps = SWEEPS + s->n_active / FACE_OF_A_SWEEP;
        for (int64_t k = 0; k < sweeps && gain > tol * total; k++) {
            if (logreg_stop_due(&s->stop, 0, s->n_active * n)) return LOGREG_STOPPED;
            gain = sweep_active(s);
            total += gain;
        }
        gain = step_on_face(s);
        total += gain;
        settled = gain <= tol * total;
        if (logreg_stop_due(&s->stop, 0, n * n)) return LOGREG_STOPPED;
    }
    *decrease = total;
    return LOGREG_OK;
}

int logreg_minimize_quadratic(const logreg_quadratic *quadratic, double tol, double *v,
                              double *slope, double *decrease, const logreg_run *run)
{
    const int64_t n = quadratic->n;
    double *memory = (double *)(void *)((char *)run->workspace + factor_room(n, run->n_threads));
    search s = {.q = quadratic, .v = v, .slope = slope, .run = run};
    s.of = (logreg_penalized){quadratic->l1, quadratic->lower, quadratic->upper};
    s.to = memory;
    s.change = s.to + n;
    s.unit = s.change + n;
    s.solution = s.unit + n;
    s.factor = s.solution + n;
    s.active = (int64_t *)(void *)(s.factor + n * n);
    logreg_stop_open(&s.stop, run);
    LOGREG_IN_DEFAULT_MODES(int, minimize(&s, tol, decrease));
}
