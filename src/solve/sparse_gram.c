/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Gram of sparse X: of each example only the products of the values that are stored. The
 * threads share the rows of G, and each reads all examples in their order, so every entry is one
 * sum over the examples whoever makes it, and there are no nodes to merge.
 */
#include <float.h>

#include "platform/parallel.h"
#include "solve/gram.h"

enum { TASKS_PER_THREAD = 4 };

typedef struct making {
    const logreg_data *data;
    const logreg_kernels *kernels;
    double *G, *mu;
    char *scratch; /* of the threads: an example's values, and their features */
    int64_t n_tasks;
    int skips_zeros; /* examples of weight 0 are left out */
    logreg_stop stop;
} making;

static size_t scratch_size(int64_t n_x)
{
    return logreg_in_lines((size_t)n_x * (sizeof(double) + sizeof(int64_t)));
}

size_t logreg_sparse_gram_workspace_size(const logreg_data *data, int n_threads)
{
    return (size_t)n_threads * scratch_size(data->n_x);
}

/* An example's values, at most n_x; returns how many. */
static int64_t load(const making *g, int64_t example, double *x, int64_t *of)
{
    const int64_t first = g->data->starts[example], n = g->data->ends[example] - first;
    double piece[LOGREG_BLOCK];
    for (int64_t k = 0; k < n; k += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(n - k, LOGREG_BLOCK);
        const double *values = g->kernels->column(&g->data->X, first + k, count, piece);
        memcpy(x + k, values, (size_t)count * sizeof *x);
    }
    for (int64_t k = 0; k < n; k++) of[k] = logreg_index(g->data, first + k);
    return n;
}

/* Rows [first, end) get the products of an example of weight h. */
static void add_example(making *g, int64_t first, int64_t end, const double *x, const int64_t *of,
                        int64_t n, double h)
{
    for (int64_t k = 0; k < n; k++) {
        const int64_t j = of[k];
        if (j < first || j >= end) continue;
        const double by = h * x[k];
        double *row = g->G + j * g->data->n_x;
        g->mu[j] += by;
        for (int64_t l = 0; l < n; l++)
            if (of[l] <= j) row[of[l]] += by * x[l];
    }
}

static void run_task(void *context, int64_t task, int thread)
{
    making *g = context;
    const logreg_data *data = g->data;
    const int64_t n_x = data->n_x;
    const int64_t first = n_x * task / g->n_tasks, end = n_x * (task + 1) / g->n_tasks;
    double *x = (double *)(void *)(g->scratch + (size_t)thread * scratch_size(n_x));
    int64_t *of = (int64_t *)(void *)(x + n_x);
    double weights[LOGREG_BLOCK];
    for (int64_t j = first; j < end; j++) memset(g->G + j * n_x, 0, (size_t)(j + 1) * sizeof *g->G);
    memset(g->mu + first, 0, (size_t)(end - first) * sizeof *g->mu);
    for (int64_t i = 0; i < data->m; i += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(data->m - i, LOGREG_BLOCK);
        const double *h = NULL;
        if (data->sample_weight.values)
            h = g->kernels->column(&data->sample_weight, i, count, weights);
        for (int64_t k = 0; k < count; k++) {
            if (h && h[k] == 0.0 && g->skips_zeros) continue;
            const int64_t n = load(g, i + k, x, of);
            if (logreg_stop_due(&g->stop, thread, n + n * n * (end - first) / (n_x + 1))) return;
            add_example(g, first, end, x, of, n, h ? h[k] : 1.0);
        }
    }
}

/* The sum of the weights. */
static double sum_of_weights(const making *g)
{
    double weights[LOGREG_BLOCK], sum = 0.0;
    const logreg_data *data = g->data;
    if (data->sample_weight.values == NULL) return (double)data->m;
    for (int64_t i = 0; i < data->m; i += LOGREG_BLOCK) {
        const int64_t count = logreg_at_most(data->m - i, LOGREG_BLOCK);
        const double *h = g->kernels->column(&data->sample_weight, i, count, weights);
        double of_block = 0.0;
        for (int64_t k = 0; k < count; k++) of_block += h[k];
        sum += of_block;
    }
    return sum;
}

/* From sums about 0 to those about the mean; returns whether all are finite. */
static int centre(making *g, double S)
{
    const int64_t n_x = g->data->n_x;
    int within_range = S <= DBL_MAX;
    for (int64_t j = 0; j < n_x; j++) {
        const double mean = S > 0.0 ? g->mu[j] / S : 0.0;
        double *row = g->G + j * n_x;
        for (int64_t k = 0; k <= j; k++) {
            row[k] -= mean * g->mu[k];
            within_range &= row[k] - row[k] == 0.0;
        }
        if (row[j] < 0.0) row[j] = 0.0;
    }
    for (int64_t j = 0; j < n_x; j++) g->mu[j] = S > 0.0 ? g->mu[j] / S : 0.0;
    return within_range;
}

int logreg_sparse_gram(const logreg_data *data, int skips_zeros, double *G, double *mu, double *S,
                       const logreg_run *run)
{
    making g = {.data = data, .G = G, .mu = mu, .scratch = run->workspace};
    g.skips_zeros = skips_zeros;
    const int n_threads = logreg_threads_startable(logreg_threads_for(data->n_x, run->n_threads));
    g.kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    g.n_tasks = n_threads == 1 ? 1 : logreg_at_most(data->n_x, TASKS_PER_THREAD * n_threads);
    logreg_stop_open(&g.stop, run);
    logreg_parallel_for(g.n_tasks, n_threads, run_task, &g);
    if (logreg_stop_seen(&g.stop)) return LOGREG_STOPPED;
    *S = sum_of_weights(&g);
    return centre(&g, *S) ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}
