/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Looking for what is wrong with the data: labels and weights before a pass, X after one that came
 * out non-finite.
 */
#include "kernels.h"

int64_t logreg_first_outside(const double *v, int64_t n, double low, double high)
{
    enum { STRIDE = 64 };
    for (int64_t i = 0; i < n; i += STRIDE) {
        const int64_t end = i + STRIDE < n ? i + STRIDE : n;
        int within = 1;
        for (int64_t k = i; k < end; k++) within &= (v[k] >= low) & (v[k] <= high);
        if (within) continue;
        for (int64_t k = i; k < end; k++)
            if (!(v[k] >= low && v[k] <= high)) return k;
    }
    return -1;
}

static int is_finite(double value)
{
    const uint64_t exponent = (uint64_t)0x7ff << 52;
    return (logreg_bits_of(value) & exponent) != exponent;
}

int logreg_first_nonfinite(const logreg_data *data, int64_t *feature, int64_t *example)
{
    /* Examples in groups, so that feature-major data too is read a cache line at a time. */
    enum { GROUP = 512 };
    for (int64_t first = 0; first < data->m; first += GROUP) {
        const int64_t end = first + GROUP < data->m ? first + GROUP : data->m;
        int64_t found = end;
        for (int64_t j = 0; j < data->n_x; j++) {
            const double *x = data->X + j * data->feature_stride;
            for (int64_t i = first; i < found; i++) {
                if (is_finite(x[i * data->example_stride])) continue;
                found = i;
                *feature = j;
                *example = i;
            }
        }
        if (found < end) return 1;
    }
    return 0;
}
