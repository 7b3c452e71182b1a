/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Looking for bad values: in labels and weights before a pass, in X after one whose sums are not
 * finite.
 */
#include "block/kernels.h"
#include "platform/stop.h"

static LOGREG_NOINLINE int64_t first_outside(const logreg_column *column, int64_t n, double low,
                                             double high)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK];
    for (int64_t i = 0; i < n; i += LOGREG_BLOCK) {
        const int64_t count = n - i < LOGREG_BLOCK ? n - i : LOGREG_BLOCK;
        const double *v = kernels->column(column, i, count, scratch);
        int within = 1;
        for (int64_t k = 0; k < count; k++) within &= (v[k] >= low) & (v[k] <= high);
        if (within) continue;
        int64_t k = 0;
        while (v[k] >= low && v[k] <= high) k++;
        return i + k;
    }
    return -1;
}

int64_t logreg_first_outside(const logreg_column *column, int64_t n, double low, double high)
{
    LOGREG_IN_DEFAULT_MODES(int64_t, first_outside(column, n, low, high));
}

static int is_finite(double value)
{
    const uint64_t exponent = (uint64_t)0x7ff << 52;
    return (logreg_bits_of(value) & exponent) != exponent;
}

static int is_integer(logreg_type type)
{
    return type != LOGREG_FLOAT64 && type != LOGREG_FLOAT32 && type != LOGREG_FLOAT16;
}

/* The lowest feature of sparse example i that is not finite, or -1. */
static int64_t nonfinite_of(const logreg_data *data, int64_t i)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK];
    int64_t lowest = -1;
    for (int64_t k = data->starts[i]; k < data->ends[i]; k += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(data->ends[i] - k, LOGREG_BLOCK);
        const double *x = kernels->column(&data->X, k, count, scratch);
        for (int64_t n = 0; n < count; n++) {
            const int64_t j = is_finite(x[n]) ? -1 : logreg_index(data, k + n);
            if (j >= 0 && (lowest < 0 || j < lowest)) lowest = j;
        }
    }
    return lowest;
}

int logreg_first_nonfinite(const logreg_data *data, int64_t *feature, int64_t *example,
                           const logreg_run *run)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double scratch[LOGREG_BLOCK];
    logreg_stop stop;
    logreg_stop_open(&stop, run);
    *feature = *example = -1;
    for (int64_t i = 0; i < data->m && *feature < 0 && logreg_is_sparse(data); i++) {
        if (logreg_stop_due(&stop, 0, data->ends[i] - data->starts[i])) return LOGREG_STOPPED;
        *feature = nonfinite_of(data, i);
        *example = *feature < 0 ? -1 : i;
    }
    if (logreg_is_sparse(data)) return LOGREG_OK;
    for (int64_t first = 0; first < data->m && *feature < 0; first += LOGREG_BLOCK) {
        int64_t count = data->m - first < LOGREG_BLOCK ? data->m - first : LOGREG_BLOCK;
        for (int64_t j = 0; j < logreg_numbers(data); j++) {
            const logreg_column column = logreg_feature(data, j);
            if (logreg_stop_due(&stop, 0, count)) return LOGREG_STOPPED;
            if (is_integer(column.type)) continue;
            const double *x = kernels->column(&column, first, count, scratch);
            for (int64_t i = 0; i < count; i++) {
                if (is_finite(x[i])) continue;
                count = i; /* from other features only an earlier example matters */
                *feature = j;
                *example = first + i;
            }
        }
    }
    return LOGREG_OK;
}

/* ---- Indices --------------------------------------------------------------------------------- */

/* Whether the indices of values [k, end) rise, from 0 up and below n_x. */
static int rise(const logreg_data *data, int64_t k, int64_t end)
{
    int64_t last = -1;
    int rising = 1;
    for (; k < end; k++) {
        const int64_t j = logreg_index(data, k);
        rising &= j > last;
        last = j;
    }
    return rising && last < data->n_x;
}

int logreg_check_sparse(const logreg_data *data, int64_t *seen, int64_t *outside, int *repeats,
                        const logreg_run *run)
{
    logreg_stop stop;
    logreg_stop_open(&stop, run);
    *outside = -1;
    *repeats = 0;
    for (int64_t i = 0; i < data->m; i++) {
        const int64_t end = data->ends[i];
        int64_t k = data->starts[i];
        if (logreg_stop_due(&stop, 0, end - k + 1)) return LOGREG_STOPPED;
        if (rise(data, k, end)) continue;
        for (; k < end; k++) {
            const int64_t j = logreg_index(data, k);
            if (j < 0 || j >= data->n_x) {
                *outside = k;
                return LOGREG_OK;
            }
            *repeats |= seen[j] == i + 1;
            seen[j] = i + 1;
        }
    }
    return LOGREG_OK;
}
