/* SPDX-License-Identifier: BSD-3-Clause
 *
 * one_pass feature-major|example-major N_X M ITERS: trains on made-up data on one thread, for
 * cache_misses.py to count what the iterations read. */
#include <stdlib.h>
#include <string.h>

#include "../src/logreg.h"

/* Aligned, since the simulated cache counts a load across two missing lines as one miss. */
static void *allocate(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) exit(3);
    return p;
}

static double *allocate_doubles(int64_t n)
{
    return allocate((size_t)n * sizeof(double));
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    int feature_major = strcmp(argv[1], "feature-major") == 0;
    int64_t n_x = atoll(argv[2]), m = atoll(argv[3]), iters = atoll(argv[4]), n_costs;
    double *X = allocate_doubles(n_x * m), *Y = allocate_doubles(m), *w = allocate_doubles(n_x);
    double *costs = allocate_doubles(iters);
    for (int64_t k = 0; k < n_x * m; k++) X[k] = (double)(k * 7919 % 1009) / 1009;
    for (int64_t j = 0; j < n_x; j++) w[j] = 0;
    for (int64_t i = 0; i < m; i++) Y[i] = (double)(i % 2);

    logreg_data data = {.n_x = n_x, .m = m, .X = X, .Y = Y};
    data.feature_stride = feature_major ? m : 1;
    data.example_stride = feature_major ? 1 : n_x;
    logreg_settings settings = {.alpha = 0.1, .tol = -1};
    logreg_state state = {.w = w};
    logreg_run run = {.n_threads = 1, .workspace = allocate(logreg_workspace_size(&data, 1))};
    logreg_isa_select(NULL);
    return logreg_descend(&data, &settings, &state, costs, iters, &n_costs, &run);
}
