/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moments and Grams of categories. A task makes entries of its own and reads all examples in their
 * order, so every sum is the same whoever makes it, and there are no nodes to merge. Data that come
 * in parts, in their order, go on with the sums of the parts before.
 */
#include "solve/categories.h"

#include <float.h>

#include "platform/parallel.h"
#include "sums/sums.h"

/* Examples that are read at a time. */
enum { PIECE = LOGREG_PANEL_VECTORS };

typedef struct making {
    const logreg_data *data;
    const logreg_kernels *kernels;
    double *G, *mu;
    logreg_stop *stop;
} making;

/* The codes of some examples, at most PIECE. */
static void read_codes(const logreg_column *codes, int64_t first, int64_t count, int64_t *to)
{
    const char *code = (const char *)codes->values + first * codes->stride;
    for (int64_t i = 0; i < count; i++, code += codes->stride) {
        const void *at = code;
        switch (codes->type) {
        case LOGREG_UINT8:
            to[i] = *(const uint8_t *)at;
            break;
        case LOGREG_INT8:
            to[i] = *(const int8_t *)at;
            break;
        case LOGREG_UINT16:
            to[i] = *(const uint16_t *)at;
            break;
        case LOGREG_INT16:
            to[i] = *(const int16_t *)at;
            break;
        case LOGREG_INT32:
            to[i] = *(const int32_t *)at;
            break;
        default:
            to[i] = *(const int64_t *)at;
        }
    }
}

/* The weights of some examples, at most PIECE. */
static const double *read_weights(const making *g, int64_t first, int64_t count, double *scratch)
{
    if (g->data->sample_weight.values)
        return g->kernels->column(&g->data->sample_weight, first, count, scratch);
    for (int64_t i = 0; i < count; i++) scratch[i] = 1.0;
    return scratch;
}

/* Adds up the weights by the categories of column k. */
static void count_column(void *context, int64_t k, int thread)
{
    const making *g = context;
    const int64_t first = g->data->categories[k];
    double scratch[LOGREG_BLOCK], *sums = g->mu + first;
    int64_t codes[PIECE];
    for (int64_t i = 0, count; i < g->data->m; i += count) {
        count = logreg_at_most(g->data->m - i, PIECE);
        if (logreg_stop_due(g->stop, thread, count)) return;
        const double *h = read_weights(g, i, count, scratch);
        read_codes(&g->data->codes[k], i, count, codes);
        for (int64_t e = 0; e < count; e++) sums[codes[e]] += h[e];
    }
}

static double total_of(const making *g, int64_t k)
{
    double total = 0.0;
    for (int64_t j = g->data->categories[k]; j < g->data->categories[k + 1]; j++) total += g->mu[j];
    return total;
}

/* From sums of weights in out->mean to moments. */
static int finish_moments(const logreg_data *data, const logreg_standardization *out)
{
    const making g = {.data = data, .mu = out->mean};
    int within_range = 1;
    for (int64_t k = 0; k < data->n_codes; k++) {
        const double total = total_of(&g, k);
        within_range &= total <= DBL_MAX;
        for (int64_t j = data->categories[k]; j < data->categories[k + 1]; j++) {
            const double sum = out->mean[j], rest = total - sum;
            const int varies = sum > 0.0 && rest > 0.0;
            const double mean = varies ? sum / total : sum > 0.0;
            out->mean[j] = mean;
            out->mean_lo[j] = 0.0;
            out->sd[j] = varies ? logreg_sqrt(mean * (rest / total)) : 0.0;
            within_range &= !varies || mean * rest >= LOGREG_SMALLEST_SUM;
        }
    }
    return within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_category_moments(const logreg_data *whole, const logreg_standardization *out)
{
    LOGREG_IN_DEFAULT_MODES(int, finish_moments(whole, out));
}

/* Adds the weights of some or all examples to mu; 0 if stopped. */
static int count(const logreg_data *data, double *mu, logreg_stop *stop, int n_threads)
{
    making g = {.data = data, .mu = mu, .stop = stop};
    g.kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    n_threads = logreg_threads_startable(logreg_threads_for(data->n_codes, n_threads));
    logreg_parallel_for(data->n_codes, n_threads, count_column, &g);
    return !logreg_stop_seen(stop);
}

int logreg_describe_categories(const logreg_data *data, const logreg_standardization *out,
                               logreg_stop *stop, int n_threads)
{
    const int64_t first = data->categories[0];
    memset(out->mean + first, 0, (size_t)(data->n_x - first) * sizeof *out->mean);
    if (!count(data, out->mean, stop, n_threads)) return LOGREG_STOPPED;
    return finish_moments(data, out);
}

/* The sums of h (x - mu) by category, for numbers [first, first + n): at most a panel. */
static void add_numbers(const making *g, int64_t first, int64_t n, int thread)
{
    const logreg_data *data = g->data, numbers = logreg_features_of(data, first, n);
    double panel[LOGREG_PANEL * PIECE], scratch[LOGREG_BLOCK];
    int64_t codes[PIECE];
    for (int64_t i = 0, count; i < data->m; i += count) {
        count = logreg_at_most(data->m - i, PIECE);
        if (logreg_stop_due(g->stop, thread, 2 * count * (data->n_codes + 1) * n)) return;
        const double *h = read_weights(g, i, count, scratch);
        g->kernels->gram.pack(&numbers, i, count, g->mu + first, h, panel);
        for (int64_t k = 0; k < data->n_codes; k++) {
            double *rows = g->G + data->categories[k] * data->n_x + first;
            read_codes(&data->codes[k], i, count, codes);
            for (int64_t e = 0; e < count; e++) {
                double *row = rows + codes[e] * data->n_x;
                for (int64_t j = 0; j < n; j++) row[j] += panel[e * LOGREG_PANEL + j];
            }
        }
    }
}

/* The sums of h by the categories of column k, and by pairs of them with those of the columns
 * before. */
static void add_pairs(const making *g, int64_t k, int thread)
{
    const logreg_data *data = g->data;
    const int64_t from = data->categories[k];
    double scratch[LOGREG_BLOCK];
    int64_t codes[PIECE], others[PIECE];
    for (int64_t i = 0, count; i < data->m; i += count) {
        count = logreg_at_most(data->m - i, PIECE);
        if (logreg_stop_due(g->stop, thread, 4 * count * (k + 1))) return;
        const double *h = read_weights(g, i, count, scratch);
        read_codes(&data->codes[k], i, count, codes);
        for (int64_t e = 0; e < count; e++) g->mu[from + codes[e]] += h[e];
        for (int64_t l = 0; l < k; l++) {
            double *rows = g->G + from * data->n_x + data->categories[l];
            read_codes(&data->codes[l], i, count, others);
            for (int64_t e = 0; e < count; e++) rows[codes[e] * data->n_x + others[e]] += h[e];
        }
    }
}

static void run_task(void *context, int64_t task, int thread)
{
    const making *g = context;
    const int64_t numbers = logreg_numbers(g->data), first = task * LOGREG_PANEL;
    const int64_t panels = logreg_gram_padded(numbers) / LOGREG_PANEL;
    if (task < panels)
        add_numbers(g, first, logreg_at_most(numbers - first, LOGREG_PANEL), thread);
    else
        add_pairs(g, task - panels, thread);
}

/* From sums about 0 to those about the means, for rows of column k; returns whether all are finite.
 */
static int centre_rows(const making *g, int64_t k)
{
    const logreg_data *data = g->data;
    const int64_t first = data->categories[0], from = data->categories[k];
    const double total = total_of(g, k);
    double not_finite = 0.0;
    for (int64_t j = from; j < data->categories[k + 1]; j++) {
        double *row = g->G + j * data->n_x;
        const double sum = g->mu[j], share = total > 0.0 ? sum / total : 0.0;
        for (int64_t c = first; c < j; c++) row[c] -= share * g->mu[c];
        row[j] = share * (total - sum);
        for (int64_t c = 0; c <= j; c++) not_finite += row[c] - row[c];
    }
    return total <= DBL_MAX && not_finite == 0.0;
}

static int finish_gram(const logreg_data *data, double *G, double *mu)
{
    const making g = {.data = data, .G = G, .mu = mu};
    int within_range = 1;
    for (int64_t k = data->n_codes - 1; k >= 0; k--) within_range &= centre_rows(&g, k);
    for (int64_t k = 0; k < data->n_codes; k++) {
        const double total = total_of(&g, k);
        for (int64_t j = data->categories[k]; j < data->categories[k + 1]; j++)
            mu[j] = total > 0.0 ? mu[j] / total : 0.0;
    }
    return within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_category_gram(const logreg_data *whole, double *G, double *mu)
{
    LOGREG_IN_DEFAULT_MODES(int, finish_gram(whole, G, mu));
}

static int add(const logreg_data *data, double *G, double *mu, const logreg_run *run)
{
    const int64_t panels = logreg_gram_padded(logreg_numbers(data)) / LOGREG_PANEL;
    const int64_t tasks = panels + data->n_codes;
    logreg_stop stop;
    logreg_stop_open(&stop, run);
    if (G == NULL) return count(data, mu, &stop, run->n_threads) ? LOGREG_OK : LOGREG_STOPPED;
    const int n_threads = logreg_threads_startable(logreg_threads_for(tasks, run->n_threads));
    making g = {.data = data, .G = G, .mu = mu, .stop = &stop};
    g.kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    logreg_parallel_for(tasks, n_threads, run_task, &g);
    return logreg_stop_seen(&stop) ? LOGREG_STOPPED : LOGREG_OK;
}

int logreg_add_categories(const logreg_data *part, double *G, double *mu, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, add(part, G, mu, run));
}

int logreg_category_gram(const logreg_data *data, double *G, double *mu, const logreg_run *run)
{
    const int64_t n_x = data->n_x, first = data->categories[0];
    for (int64_t j = first; j < n_x; j++) memset(G + j * n_x, 0, (size_t)(j + 1) * sizeof *G);
    memset(mu + first, 0, (size_t)(n_x - first) * sizeof *mu);
    const int status = add(data, G, mu, run);
    return status == LOGREG_OK ? finish_gram(data, G, mu) : status;
}
