/* SPDX-License-Identifier: BSD-3-Clause
 *
 * one_pass feature-major|example-major TYPE N_X M ITERS: trains on generated data of a logreg_type
 * on one thread, so that cache_misses.py can count what the iterations read. */
#include <stdlib.h>
#include <string.h>

#include "logreg.h"

/* Aligned, because the simulated cache counts a load across two missing lines as one miss. */
static void *allocate(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) exit(3);
    return p;
}

int main(int argc, char **argv)
{
    static const int64_t sizes[] = {8, 4, 2, 8, 4, 2, 1, 2, 1};
    if (argc != 6) return 2;
    const int feature_major = strcmp(argv[1], "feature-major") == 0;
    const logreg_type type = (logreg_type)atoi(argv[2]);
    const int64_t n_x = atoll(argv[3]), m = atoll(argv[4]), iters = atoll(argv[5]);
    const int64_t size = sizes[type];
    unsigned char *X = allocate((size_t)(n_x * m * size)), *Y = allocate((size_t)m);
    double *w = allocate((size_t)n_x * sizeof(double)), costs[16];
    int64_t n_costs;
    if (iters > 16) return 2;
    memset(X, 1, (size_t)(n_x * m * size)); /* a small number in every type */
    memset(w, 0, (size_t)n_x * sizeof(double));
    for (int64_t i = 0; i < m; i++) Y[i] = (unsigned char)(i % 2);

    logreg_data data = {.n_x = n_x, .m = m, .example_major = !feature_major};
    data.X = (logreg_column){X, feature_major ? size : n_x * size, type};
    data.feature_stride = feature_major ? m * size : size;
    data.Y = (logreg_column){Y, 1, LOGREG_UINT8};
    data.arithmetic = type == LOGREG_FLOAT64 || type == LOGREG_INT64 || type == LOGREG_INT32
                          ? LOGREG_FLOAT64
                          : LOGREG_FLOAT32;
    logreg_settings settings = {.alpha = 1e-9, .tol = -1};
    logreg_state state = {.w = w};
    logreg_run run = {.n_threads = 1, .workspace = allocate(logreg_workspace_size(&data, 0, 1))};
    logreg_isa_select(NULL);
    if (type == LOGREG_INT64) settings.alpha = 1e-40;
    return logreg_descend(&data, &settings, &state, costs, iters, &n_costs, &run);
}
