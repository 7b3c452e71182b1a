/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sparse X, sorted by feature.
 */
#include "block/kernels.h"
#include "platform/stop.h"

/* From how many values each feature has to where they begin. */
static void count_up(int64_t *starts, int64_t n_x)
{
    int64_t sum = 0;
    for (int64_t j = 0; j <= n_x; j++) {
        const int64_t count = starts[j];
        starts[j] = sum;
        sum += count;
    }
}

int logreg_sort_by_feature(const logreg_data *data, int64_t *starts, int32_t *examples,
                           double *values, const logreg_run *run)
{
    const logreg_kernels *kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    double piece[LOGREG_BLOCK];
    logreg_stop stop;
    logreg_stop_open(&stop, run);
    memset(starts, 0, (size_t)(data->n_x + 1) * sizeof *starts);
    for (int64_t i = 0; i < data->m; i++)
        for (int64_t k = data->starts[i]; k < data->ends[i]; k++) starts[logreg_index(data, k)]++;
    count_up(starts, data->n_x);
    for (int64_t i = 0; i < data->m; i++) {
        if (logreg_stop_due(&stop, 0, data->ends[i] - data->starts[i])) return LOGREG_STOPPED;
        for (int64_t k = data->starts[i]; k < data->ends[i]; k += LOGREG_BLOCK) {
            const int64_t count = logreg_at_most(data->ends[i] - k, LOGREG_BLOCK);
            const double *x = kernels->column(&data->X, k, count, piece);
            for (int64_t l = 0; l < count; l++) {
                const int64_t at = starts[logreg_index(data, k + l)]++;
                examples[at] = (int32_t)i;
                values[at] = x[l];
            }
        }
    }
    for (int64_t j = data->n_x; j > 0; j--) starts[j] = starts[j - 1]; /* each moved to its end */
    starts[0] = 0;
    return LOGREG_OK;
}
