/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A few long rows: their inner products with a vector, and sums of multiples of them.
 */
#include "logreg.h"
#include "solve/vectors.h"

/* The vector is taken so many values at a time, which stay in L1 while the rows stream by. */
enum { STRETCH = 1 << 11 };

static LOGREG_NOINLINE void multiply_rows(const double *V, int64_t n_rows, int64_t n,
                                          const double *x, double *out)
{
    for (int64_t r = 0; r < n_rows; r++) out[r] = 0.0;
    for (int64_t i = 0; i < n; i += STRETCH) {
        const int64_t count = n - i < STRETCH ? n - i : STRETCH;
        for (int64_t r = 0; r < n_rows; r++) out[r] += logreg_dot(V + r * n + i, x + i, count);
    }
}

static LOGREG_NOINLINE void add_rows(const double *V, int64_t n_rows, int64_t n, const double *c,
                                     double *y)
{
    for (int64_t i = 0; i < n; i += STRETCH) {
        const int64_t count = n - i < STRETCH ? n - i : STRETCH;
        for (int64_t r = 0; r < n_rows; r++) logreg_add_multiple(y + i, c[r], V + r * n + i, count);
    }
}

void logreg_multiply_rows(const double *V, int64_t n_rows, int64_t n, const double *x, double *out)
{
    const logreg_fp_modes found = logreg_fp_default();
    multiply_rows(V, n_rows, n, x, out);
    logreg_fp_restore(found);
}

void logreg_add_rows(const double *V, int64_t n_rows, int64_t n, const double *c, double *y)
{
    const logreg_fp_modes found = logreg_fp_default();
    add_rows(V, n_rows, n, c, y);
    logreg_fp_restore(found);
}
