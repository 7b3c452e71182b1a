/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cholesky's factorization, by block columns: entry (i, j) is
 *
 *     L_ij = (A_ij - sum of L_ik L_jk over k < j) / L_jj
 *
 * where the terms of earlier block columns are one sum, by the kernel of the Gram, and those of the
 * block column itself are subtracted one by one, and the quotient is a product with 1 / L_jj. The
 * threads share the rows of a block column. No order depends on how many there are.
 *
 * Rows are packed in panels, as in a Gram: LOGREG_PANEL rows, the rows of a column side by side.
 */
#include <float.h>

#include "block/kernels.h"
#include "platform/parallel.h"
#include "platform/stop.h"
#include "solve/vectors.h"

enum {
    BLOCK = 64, /* columns, and rows of a task */
    SQUARE = BLOCK * BLOCK,
    PANEL = LOGREG_PANEL,
    /* Multiply-adds below which a fork and join costs more than it brings. */
    SMALL_COLUMN = 1 << 19
};

/* Rows of a block column, in a thread. */
typedef struct rows {
    double earlier[BLOCK * LOGREG_PANEL_VECTORS]; /* panels of some earlier columns */
    double products[SQUARE];                      /* sums over the earlier columns */
    double own[SQUARE];                           /* panels of the block column */
} rows;

typedef struct factorization {
    double *A;
    int64_t n, first, width;                         /* the block column */
    double zeros[BLOCK], ones[LOGREG_PANEL_VECTORS]; /* the centre and scale of what is packed */
    double block[SQUARE], inverse[BLOCK]; /* panels of the diagonal block, and 1 / L_kk */
    double *diagonal;                     /* of A */
    double *earlier;                      /* panels of the diagonal block, all k < first */
    rows *scratch;                        /* of the threads */
    const logreg_kernels *kernels;
    logreg_stop stop;
} factorization;

static size_t earlier_size(int64_t n)
{
    return (size_t)(BLOCK * (n + LOGREG_PANEL_VECTORS));
}

static size_t diagonal_size(int64_t n)
{
    return (size_t)logreg_gram_padded(n);
}

size_t logreg_cholesky_workspace_size(int64_t n, int n_threads)
{
    return sizeof(factorization) + (earlier_size(n) + diagonal_size(n)) * sizeof(double) +
           (size_t)n_threads * sizeof(rows);
}

/* Packs columns [from, from + count) of A's rows from `row` on. */
static void pack(const factorization *f, int64_t row, int64_t n_rows, int64_t from, int64_t count,
                 double *panels)
{
    const int64_t stride = sizeof(double);
    const logreg_data data = {.n_x = n_rows,
                              .m = f->n,
                              .X = {f->A + row * f->n, stride, LOGREG_FLOAT64},
                              .feature_stride = f->n * stride};
    f->kernels->gram.pack(&data, from, count, f->zeros, f->ones, panels);
}

/* Writes columns up to the diagonal back. */
static void store(const factorization *f, int64_t row, int64_t n_rows, const double *panels)
{
    for (int64_t r = 0; r < n_rows; r++) {
        double *to = f->A + (row + r) * f->n + f->first;
        const double *from = panels + r / PANEL * f->width * PANEL + r % PANEL;
        const int64_t end = logreg_at_most(f->width, row + r - f->first + 1);
        for (int64_t j = 0; j < end; j++) to[j] = from[j * PANEL];
    }
}

/* ---- The diagonal block ---------------------------------------------------------------------- */

/* Factors a square on the diagonal; 0, or 1 + the row of a pivot that is too small. */
static int64_t factor_square(factorization *f, int64_t column, int64_t size, double least)
{
    double *l =
        f->block + (column / PANEL * f->width + column) * PANEL; /* (j, k): l[k * PANEL + j] */
    for (int64_t k = 0; k < size; k++) {
        const int64_t row = f->first + column + k;
        const double pivot = l[k * PANEL + k];
        /* Not !(pivot <= ...), which NaN would pass. */
        if (!(pivot > least * f->diagonal[row] && pivot > 0.0 && pivot <= DBL_MAX)) return row + 1;
        l[k * PANEL + k] = logreg_sqrt(pivot);
        f->inverse[column + k] = 1.0 / l[k * PANEL + k];
        for (int64_t i = k + 1; i < size; i++) l[k * PANEL + i] *= f->inverse[column + k];
        for (int64_t j = k + 1; j < size; j++)
            for (int64_t i = j; i < size; i++)
                l[j * PANEL + i] -= l[k * PANEL + i] * l[k * PANEL + j];
    }
    return 0;
}

static int64_t factor_block(factorization *f, double least)
{
    double *products = f->scratch->products;
    const int64_t width = f->width;
    pack(f, f->first, width, f->first, width, f->block);
    if (f->first > 0) memset(products, 0, sizeof f->scratch->products);
    for (int64_t k = 0; k < f->first; k += LOGREG_PANEL_VECTORS) {
        const int64_t count = logreg_at_most(f->first - k, LOGREG_PANEL_VECTORS);
        double *panels = f->earlier + k * BLOCK;
        pack(f, f->first, width, k, count, panels);
        f->kernels->gram.add_products(panels, width, panels, 0, count, products);
    }
    for (int64_t r = 0; r < width && f->first > 0; r++)
        for (int64_t j = 0; j <= r; j++)
            f->block[(r / PANEL * width + j) * PANEL + r % PANEL] -=
                logreg_gram_entry(products, 0, r, j);
    int64_t failed = 0;
    for (int64_t j = 0; j < width && !failed; j += PANEL) {
        failed = factor_square(f, j, logreg_at_most(width - j, PANEL), least);
        for (int64_t p = j + PANEL; p < width && !failed; p += PANEL)
            f->kernels->gram.eliminate(f->block, width, f->inverse, j,
                                       logreg_at_most(p + PANEL, width), f->block + p * width);
    }
    store(f, f->first, failed ? failed - 1 - f->first : width, f->block);
    return failed;
}

/* ---- The rows below -------------------------------------------------------------------------- */

static void run_rows(void *context, int64_t task, int thread)
{
    factorization *f = context;
    rows *s = f->scratch + thread;
    const int64_t row = f->first + BLOCK + task * BLOCK;
    const int64_t n_rows = logreg_at_most(f->n - row, BLOCK), padded = logreg_gram_padded(n_rows);
    if (logreg_stop_due(&f->stop, thread, n_rows * (f->first + BLOCK))) return;
    if (f->first > 0) memset(s->products, 0, sizeof s->products);
    for (int64_t k = 0; k < f->first; k += LOGREG_PANEL_VECTORS) {
        const int64_t count = logreg_at_most(f->first - k, LOGREG_PANEL_VECTORS);
        pack(f, row, n_rows, k, count, s->earlier);
        f->kernels->gram.add_products(f->earlier + k * BLOCK, BLOCK, s->earlier, padded, count,
                                      s->products);
    }
    pack(f, row, n_rows, f->first, BLOCK, s->own);
    for (int64_t p = 0; p < padded / PANEL; p++) {
        double *panel = s->own + p * PANEL * BLOCK;
        for (int64_t j = 0; j < BLOCK && f->first > 0; j++) {
            const int64_t square = logreg_gram_square(j / PANEL, padded / PANEL) + p;
            const double *product = s->products + (square * PANEL + j % PANEL) * PANEL;
            for (int r = 0; r < PANEL; r++) panel[j * PANEL + r] -= product[r];
        }
        for (int64_t j = 0; j < BLOCK; j += PANEL)
            f->kernels->gram.eliminate(f->block, BLOCK, f->inverse, j, BLOCK, panel);
    }
    store(f, row, n_rows, s->own);
}

static LOGREG_NOINLINE int64_t cholesky(double *A, int64_t n, double least, const logreg_run *run)
{
    factorization *f = run->workspace;
    double *memory = (double *)(void *)(f + 1);
    f->A = A;
    f->n = n;
    f->earlier = memory;
    f->diagonal = f->earlier + earlier_size(n);
    f->scratch = (rows *)(void *)(f->diagonal + diagonal_size(n));
    f->kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    logreg_stop_open(&f->stop, run);
    for (int64_t k = 0; k < BLOCK; k++) f->zeros[k] = 0.0;
    for (int64_t k = 0; k < LOGREG_PANEL_VECTORS; k++) f->ones[k] = 1.0;
    for (int64_t i = 0; i < n; i++) f->diagonal[i] = A[i * n + i];
    for (f->first = 0; f->first < n; f->first += BLOCK) {
        f->width = logreg_at_most(n - f->first, BLOCK);
        const int64_t failed = factor_block(f, least);
        if (failed) return failed;
        const int64_t below = n - f->first - f->width, tasks = (below + BLOCK - 1) / BLOCK;
        const int small = below * BLOCK * (f->first + BLOCK / 2) < SMALL_COLUMN;
        const int n_threads = small ? 1 : logreg_threads_for(tasks, run->n_threads);
        logreg_parallel_for(tasks, n_threads, run_rows, f);
        if (logreg_stop_seen(&f->stop)) return -1;
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
