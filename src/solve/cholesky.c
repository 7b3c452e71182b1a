/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cholesky's factorization, by block columns: entry (i, j) is
 *
 *     L_ij = (A_ij - sum of L_ik L_jk over k < j) / L_jj
 *
 * where the terms of earlier block columns are subtracted as sums of LOGREG_PANEL_VECTORS each, by
 * the kernel of the Gram, and those of the block column itself one by one. The threads share the
 * rows of a block column. No order depends on how many there are.
 */
#include <float.h>

#include "block/kernels.h"
#include "platform/parallel.h"
#include "platform/stop.h"
#include "solve/vectors.h"

enum {
    BLOCK = 64,              /* columns */
    ROWS = LOGREG_BLOCK / 8, /* of a task */
    /* Multiply-adds below which a fork and join costs more than it brings. */
    SMALL_COLUMN = 1 << 17
};

typedef struct factorization {
    double *A;
    int64_t n, first, width; /* the block column */
    double *diagonal;        /* of A */
    double *panels;          /* of the rows of the diagonal block, all k < first */
    double *scratch;         /* of the threads */
    const logreg_kernels *kernels;
} factorization;

/* A task's panels and products. */
enum { SCRATCH = ROWS * LOGREG_PANEL_VECTORS + ROWS * BLOCK };

static size_t doubles_for(int64_t n, int n_threads)
{
    return (size_t)n + (size_t)(BLOCK * (n + LOGREG_PANEL_VECTORS)) +
           (size_t)n_threads * (size_t)SCRATCH;
}

size_t logreg_cholesky_workspace_size(int64_t n, int n_threads)
{
    return doubles_for(n, n_threads) * sizeof(double) + 64;
}

/* Packs columns [from, from + count) of n_rows rows, up to `room` rows with zeros. */
static void pack_rows(const double *A, int64_t n, int64_t row, int64_t n_rows, int64_t room,
                      int64_t from, int64_t count, double *panels)
{
    memset(panels, 0, (size_t)(room * count) * sizeof *panels);
    for (int64_t r = 0; r < n_rows; r++) {
        double *to = panels + r / LOGREG_PANEL * LOGREG_PANEL * count + r % LOGREG_PANEL;
        const double *x = A + (row + r) * n + from;
        for (int64_t k = 0; k < count; k++) to[k * LOGREG_PANEL] = x[k];
    }
}

/* Subtracts the earlier block columns from ROWS rows. */
static void update(const factorization *f, int64_t row, int64_t n_rows, double *scratch)
{
    double *panels = scratch, *products = scratch + ROWS * LOGREG_PANEL_VECTORS;
    for (int64_t k = 0; k < f->first; k += LOGREG_PANEL_VECTORS) {
        const int64_t count = logreg_at_most(f->first - k, LOGREG_PANEL_VECTORS);
        pack_rows(f->A, f->n, row, n_rows, ROWS, k, count, panels);
        memset(products, 0, ROWS * BLOCK * sizeof *products);
        f->kernels->gram.add_products(panels, ROWS, f->panels + k * BLOCK, BLOCK, count, products);
        for (int64_t r = 0; r < n_rows; r++) {
            double *a = f->A + (row + r) * f->n + f->first;
            const int64_t end = logreg_at_most(f->width, row + r - f->first + 1);
            for (int64_t j = 0; j < end; j++) a[j] -= logreg_gram_entry(products, BLOCK, r, j);
        }
    }
}

/* Rows below the diagonal block, which is done: each is solved for. */
static void solve_rows(const factorization *f, int64_t row, int64_t n_rows)
{
    for (int64_t r = 0; r < n_rows; r++) {
        double *a = f->A + (row + r) * f->n + f->first;
        for (int64_t j = 0; j < f->width; j++) {
            const double *l = f->A + (f->first + j) * f->n + f->first;
            double sum = a[j];
            for (int64_t k = 0; k < j; k++) sum -= a[k] * l[k];
            a[j] = sum / l[j];
        }
    }
}

static void run_rows(void *context, int64_t task, int thread)
{
    const factorization *f = context;
    const int64_t row = f->first + f->width + task * ROWS;
    const int64_t n_rows = logreg_at_most(f->n - row, ROWS);
    update(f, row, n_rows, f->scratch + thread * (int64_t)SCRATCH);
    solve_rows(f, row, n_rows);
}

/* The diagonal block; 0, or 1 + the row of a pivot that is too small. */
static int64_t factor_block(const factorization *f, double least)
{
    for (int64_t i = f->first; i < f->first + f->width; i++) {
        double *a = f->A + i * f->n;
        for (int64_t j = f->first; j <= i; j++) {
            const double *l = f->A + j * f->n;
            double sum = a[j];
            for (int64_t k = f->first; k < j; k++) sum -= a[k] * l[k];
            if (j < i) {
                a[j] = sum / l[j];
            } else {
                /* Not !(sum <= ...), which NaN would pass. */
                if (!(sum > least * f->diagonal[i] && sum > 0.0 && sum <= DBL_MAX)) return i + 1;
                a[j] = logreg_sqrt(sum);
            }
        }
    }
    return 0;
}

static LOGREG_NOINLINE int64_t cholesky(double *A, int64_t n, double least, const logreg_run *run)
{
    double *memory = run->workspace;
    factorization f = {.A = A, .n = n, .diagonal = memory, .panels = memory + n};
    logreg_stop stop;
    f.scratch = f.panels + BLOCK * (n + LOGREG_PANEL_VECTORS);
    f.kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    logreg_stop_open(&stop, run);
    for (int64_t i = 0; i < n; i++) f.diagonal[i] = A[i * n + i];
    for (; f.first < n; f.first += f.width) {
        f.width = logreg_at_most(n - f.first, BLOCK);
        for (int64_t k = 0; k < f.first; k += LOGREG_PANEL_VECTORS)
            pack_rows(A, n, f.first, f.width, BLOCK, k,
                      logreg_at_most(f.first - k, LOGREG_PANEL_VECTORS), f.panels + k * BLOCK);
        update(&f, f.first, f.width, f.scratch);
        const int64_t failed = factor_block(&f, least);
        if (failed) return failed;
        const int64_t below = n - f.first - f.width, tasks = (below + ROWS - 1) / ROWS;
        const int small = below * f.width * (f.first + f.width) < SMALL_COLUMN;
        const int n_threads = small ? 1 : logreg_threads_for(tasks, run->n_threads);
        logreg_parallel_for(tasks, n_threads, run_rows, &f);
        if (logreg_stop_due(&stop, 0, below * f.width)) return -1;
    }
    return 0;
}

int64_t logreg_cholesky(double *A, int64_t n, double least, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int64_t, cholesky(A, n, least, run));
}

/* ---- Solving --------------------------------------------------------------------------------- */

static LOGREG_NOINLINE int solve_lower(const double *L, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) x[i] = (x[i] - logreg_dot(L + i * n, x, i)) / L[i * n + i];
    return 0;
}

static LOGREG_NOINLINE int solve_upper(const double *L, int64_t n, double *x)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        x[i] /= L[i * n + i];
        logreg_add_multiple(x, -x[i], L + i * n, i);
    }
    return 0;
}

static int in_default_modes(int (*solve)(const double *L, int64_t n, double *x), const double *L,
                            int64_t n, double *x)
{
    LOGREG_IN_DEFAULT_MODES(int, solve(L, n, x));
}

void logreg_solve_lower(const double *L, int64_t n, double *x)
{
    in_default_modes(solve_lower, L, n, x);
}

void logreg_solve_upper(const double *L, int64_t n, double *x)
{
    in_default_modes(solve_upper, L, n, x);
}

static LOGREG_NOINLINE double log_determinant(const double *L, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += logreg_ln(L[i * n + i]);
    return 2.0 * sum;
}

double logreg_log_determinant(const double *L, int64_t n)
{
    LOGREG_IN_DEFAULT_MODES(double, log_determinant(L, n));
}
