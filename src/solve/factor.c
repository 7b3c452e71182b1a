/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Factors of the Hessian.
 */
#include "solve/factor.h"

#include <float.h>

#include "solve/vectors.h"

/* A feature whose variance is below this share of its mean square is constant but for rounding. */
#define CONSTANT 1e-26
/* Of S mu_j^2, in a diagonal whose b is fixed. */
#define MEAN_SHARE 1e-4
/* What is added to a diagonal of 1, at first, and by how much it grows until every pivot is
 * positive: features may be collinear. */
#define JITTER 1e-12
#define JITTER_GROWTH 100.0
/* The least share of the mean diagonal entry that D of a low-rank factor may have. */
#define LEAST_DIAGONAL 1e-12
/* What a shift leaves of a diagonal entry, at least. */
#define LEAST_SHIFTED 1e-3

/* Sets S and mu of the mean loss; returns whether there is any curvature. */
static void take_sums(logreg_factor *f, double S, double total)
{
    f->S = S / total;
    if (f->fixed_b) memset(f->mu, 0, (size_t)f->n_x * sizeof *f->mu);
}

/* 1 / sqrt(H_jj), or 0 for a constant feature. */
static double unit_of(double diagonal, double S, double mean)
{
    return diagonal > CONSTANT * (S * mean * mean) + 1e-300 ? 1.0 / logreg_sqrt(diagonal) : 0.0;
}

/* Where b is fixed, H also has S mu mu', which is large where features are not negative, as counts:
 * to leave it to the pairs took 6 times as many passes on text. A share of it in the diagonal is
 * what constant features have. */
void logreg_factor_diagonal(logreg_factor *f, double S, double total, double l2,
                            const double *ridge)
{
    for (int64_t j = 0; j < f->n_x; j++) {
        const double about_0 = f->fixed_b ? MEAN_SHARE * (S * f->mu[j] * f->mu[j]) : 0.0;
        const double h = (f->unit[j] + about_0) / total + l2 + (ridge ? ridge[j] : 0.0);
        f->unit[j] = unit_of(h, S / total, f->fixed_b ? 0.0 : f->mu[j]);
    }
    f->form = LOGREG_DIAGONAL;
    f->S = S / total;
}

/* Factors the matrix that the upper triangle of L has, with a diagonal of 1; it stays there, in
 * case that the factorization has to begin anew or the diagonal is shifted. */
static int factor_scaled(logreg_factor *f, int64_t n, const logreg_run *run)
{
    double *L = f->L;
    for (double jitter = JITTER;; jitter *= JITTER_GROWTH) {
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < i; j++) L[i * n + j] = L[j * n + i];
            L[i * n + i] = 1.0 + jitter;
        }
        const int64_t failed = logreg_cholesky(L, n, 0.5 * jitter, run);
        if (failed < 0) return LOGREG_STOPPED;
        if (failed == 0) return LOGREG_OK;
    }
}

/* Puts the Gram of n features, in their units, into the upper triangle; returns 0, or NaN where an
 * entry is not finite. */
static double scale_up(logreg_factor *f, int64_t n, double total)
{
    double *L = f->L, not_finite = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double scaled = L[i * n + j] / total * f->unit[i] * f->unit[j];
            not_finite += scaled - scaled;
            L[j * n + i] = scaled;
        }
    return not_finite;
}

int logreg_factor_block(logreg_factor *f, double total, const logreg_run *run)
{
    if (scale_up(f, f->block, total) != 0.0) return LOGREG_PASS_OVERFLOW;
    return factor_scaled(f, f->block, run);
}

int logreg_factor_dense(logreg_factor *f, double S, double total, double l2, const double *ridge,
                        const logreg_run *run)
{
    const int64_t n = f->n_x;
    double *L = f->L, not_finite = 0.0;
    for (int64_t i = 0; i < n && f->fixed_b; i++)
        for (int64_t j = 0; j <= i; j++) L[i * n + j] += S * f->mu[i] * f->mu[j];
    for (int64_t j = 0; j < n; j++) {
        const double diagonal = L[j * n + j] / total + l2 + (ridge ? ridge[j] : 0.0);
        not_finite += diagonal - diagonal;
        f->unit[j] = unit_of(diagonal, S / total, f->fixed_b ? 0.0 : f->mu[j]);
    }
    not_finite += scale_up(f, n, total);
    if (not_finite != 0.0) return LOGREG_PASS_OVERFLOW; /* no jitter makes its pivots positive */
    f->form = LOGREG_DENSE;
    take_sums(f, S, total);
    return factor_scaled(f, n, run);
}

int logreg_factor_shift(logreg_factor *f, const double *shift, const logreg_run *run)
{
    const int64_t n = f->n_x;
    double *L = f->L;
    for (int64_t j = 0; j < n; j++) {
        const double h = 1.0 / (f->unit[j] * f->unit[j]);
        if (!(h <= DBL_MAX && h + shift[j] > LEAST_SHIFTED * h)) return LOGREG_INCOMPLETE;
    }
    for (int64_t j = 0; j < n; j++) {
        const double old = f->unit[j];
        f->unit[j] = 1.0 / logreg_sqrt(1.0 / (old * old) + shift[j]);
        L[j * n + j] = f->unit[j] / old; /* for now */
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) L[i * n + j] *= L[i * n + i] * L[j * n + j];
    return factor_scaled(f, n, run);
}

/* V becomes the root of W times the centred examples. */
static void weigh_rows(const logreg_factor *f, const double *h, double total)
{
    for (int64_t i = 0; i < f->rank; i++) {
        const double root = logreg_sqrt(h[i] / total);
        double *v = f->V + i * f->n_x;
        for (int64_t j = 0; j < f->n_x; j++) v[j] = (v[j] - f->mu[j]) * root;
    }
}

int logreg_factor_low_rank(logreg_factor *f, const double *h, double S, double total, double l2,
                           const double *ridge, const logreg_run *run)
{
    const int64_t n = f->n_x, k = f->rank;
    double trace = 0.0, sum = 0.0;
    f->form = LOGREG_LOW_RANK;
    take_sums(f, S, total);
    weigh_rows(f, h, total);
    for (int64_t i = 0; i < k * n; i += n) trace += logreg_dot(f->V + i, f->V + i, n);
    for (int64_t j = 0; j < n; j++) {
        const double d = l2 + (ridge ? ridge[j] : 0.0), least = LEAST_DIAGONAL * trace / (double)n;
        f->unit[j] = 1.0 / (d > least ? d : least > 0.0 ? least : 1.0);
    }
    /* Rows of V as features of n examples, weighted by 1 / D. */
    const logreg_data rows = {.n_x = k,
                              .m = n,
                              .X = {f->V, sizeof(double), LOGREG_FLOAT64},
                              .feature_stride = n * (int64_t)sizeof(double),
                              .sample_weight = {f->unit, sizeof(double), LOGREG_FLOAT64}};
    double *zeros = f->scratch, *mean = f->scratch + k;
    memset(zeros, 0, (size_t)k * sizeof *zeros);
    const int status = logreg_gram(&rows, zeros, f->L, mean, &sum, run);
    if (status != LOGREG_OK) return status;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j <= i; j++) f->L[i * k + j] += sum * mean[i] * mean[j];
        f->L[i * k + i] += 1.0;
    }
    const int64_t failed = logreg_cholesky(f->L, k, 0.0, run); /* of I + V D^-1 V', but for NaN */
    if (failed < 0) return LOGREG_STOPPED;
    return failed == 0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

size_t logreg_factor_workspace_size(const logreg_factor *f, int n_threads)
{
    const int64_t order = f->form == LOGREG_DENSE ? f->n_x : f->rank + f->block;
    const logreg_data rows = {.n_x = f->rank, .m = f->n_x, .feature_stride = sizeof(double)};
    size_t size = logreg_cholesky_workspace_size(order, n_threads);
    if (f->form == LOGREG_LOW_RANK) {
        const size_t gram = logreg_gram_workspace_size(&rows, n_threads);
        if (gram > size) size = gram;
    }
    return size;
}

/* D^-1 v -> (D + S mu mu')^-1 v, by the formula of Sherman and Morrison. */
static void add_mean(const logreg_factor *f, double *u)
{
    double along = 0.0;
    for (int64_t j = 0; j < f->n_x; j++) {
        const double scaled = f->mu[j] * f->unit[j];
        along += scaled * scaled;
    }
    const double by = f->S * logreg_dot(f->mu, u, f->n_x) / (1.0 + f->S * along);
    for (int64_t j = 0; j < f->n_x; j++) u[j] -= by * (f->mu[j] * f->unit[j] * f->unit[j]);
}

/* u -> H^-1 u */
static void solve(const logreg_factor *f, double *u)
{
    const int64_t n = f->n_x, k = f->rank;
    if (f->form == LOGREG_LOW_RANK) {
        double *t = f->scratch;
        for (int64_t j = 0; j < n; j++) u[j] *= f->unit[j];
        for (int64_t i = 0; i < k; i++) t[i] = logreg_dot(f->V + i * n, u, n);
        logreg_solve_lower(f->L, k, t);
        logreg_solve_upper(f->L, k, t);
        for (int64_t i = 0; i < k; i++) {
            const double *v = f->V + i * n;
            for (int64_t j = 0; j < n; j++) u[j] -= t[i] * f->unit[j] * v[j];
        }
        return;
    }
    for (int64_t j = 0; j < n; j++) u[j] *= f->unit[j];
    if (f->form == LOGREG_DENSE || f->block > 0) {
        const int64_t order = f->form == LOGREG_DENSE ? n : f->block;
        logreg_solve_lower(f->L, order, u);
        logreg_solve_upper(f->L, order, u);
    }
    for (int64_t j = 0; j < n; j++) u[j] *= f->unit[j];
    if (f->form == LOGREG_DIAGONAL && f->fixed_b) add_mean(f, u);
}

void logreg_factor_solve(const logreg_factor *f, double *gradient)
{
    const int64_t n = f->n_x;
    const double db = gradient[n];
    for (int64_t j = 0; j < n; j++) gradient[j] -= f->mu[j] * db;
    solve(f, gradient);
    gradient[n] = 0.0;
    if (!f->fixed_b && f->S > 0.0) gradient[n] = db / f->S - logreg_dot(f->mu, gradient, n);
}
