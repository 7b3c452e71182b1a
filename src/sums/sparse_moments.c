/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The moments of sparse X: those of all features at once, a segment at a time, in two readings of
 * its values. The first makes the means, and counts the examples in which a feature comes; the
 * others are 0. The second adds the squares about the means.
 */
#include "sums/sums.h"

typedef struct summing {
    logreg_pass *pass;
    int thread;
    const logreg_data *data;
    logreg_moments out; /* first mean: sum of h x; mean_lo: sum of h; M2: examples that count */
    double total;       /* of the weights, */
    double counted;     /* and the examples that count */
} summing;

/* n values x from number `from` on, of an example of weight h. */
static void add_values(summing *s, const double *x, int64_t from, int64_t n, double h)
{
    const logreg_moments *m = &s->out;
    for (int64_t k = 0; k < n; k++) {
        const int64_t j = logreg_index(s->data, from + k);
        m->mean[j] += h * x[k]; /* a NaN or an infinity shows even where h is 0 */
        if (!(h > 0.0)) continue;
        m->mean_lo[j] += h;
        m->M2[j] += 1.0;
        if (x[k] < m->low[j]) m->low[j] = x[k];
        if (x[k] > m->high[j]) m->high[j] = x[k];
    }
}

static void add_squares(summing *s, const double *x, int64_t from, int64_t n, double h)
{
    for (int64_t k = 0; k < n && h > 0.0; k++) {
        const int64_t j = logreg_index(s->data, from + k);
        const double d = x[k] - s->out.mean[j];
        s->out.M2[j] += h * (d * d);
    }
}

/* Reads examples [first, end) for the means, or for the squares; 0 if stopped. */
static int read(summing *s, int64_t first, int64_t end, int squares)
{
    const logreg_data *data = s->data;
    const logreg_kernels *kernels = s->pass->plan.kernels;
    double values[LOGREG_BLOCK], weights[LOGREG_BLOCK];
    for (int64_t count; first < end; first += count) {
        const double *h = NULL;
        count = logreg_at_most(end - first, LOGREG_BLOCK);
        if (data->sample_weight.values)
            h = kernels->column(&data->sample_weight, first, count, weights);
        for (int64_t i = 0; i < count; i++) {
            const double weight = h ? h[i] : 1.0;
            const int64_t last = data->ends[first + i];
            int64_t k = data->starts[first + i];
            if (logreg_stop_due(&s->pass->stop, s->thread, 4 * (last - k) + 1)) return 0;
            s->total += weight;
            s->counted += weight > 0.0;
            for (int64_t n; k < last; k += n) {
                n = logreg_at_most(last - k, LOGREG_BLOCK);
                const double *x = kernels->column(&data->X, k, n, values);
                (squares ? add_squares : add_values)(s, x, k, n, weight);
            }
        }
    }
    return 1;
}

/* The means, and the share of the zeros in the range and in the squares. */
static void close_means(summing *s, int64_t n_x)
{
    const logreg_moments *m = &s->out;
    const double divisor = s->total > 0.0 ? s->total : 1.0;
    for (int64_t j = 0; j < n_x; j++) {
        const int has_zeros = m->M2[j] < s->counted;
        const double zeros = has_zeros && m->mean_lo[j] < s->total ? s->total - m->mean_lo[j] : 0.0;
        m->mean[j] /= divisor;
        m->mean_lo[j] = 0.0;
        m->M2[j] = zeros * (m->mean[j] * m->mean[j]);
        if (has_zeros && m->low[j] > 0.0) m->low[j] = 0.0;
        if (has_zeros && m->high[j] < 0.0) m->high[j] = 0.0;
    }
}

void logreg_sparse_moments(logreg_pass *pass, int64_t first, int64_t end, int thread, double *node)
{
    const int64_t n_x = pass->plan.reading.data->n_x;
    summing s = {.pass = pass,
                 .thread = thread,
                 .data = pass->plan.reading.data,
                 .out = logreg_moments_in(node, n_x)};
    logreg_pass_clear(pass, thread, node, pass->plan.node_size);
    for (int64_t j = 0; j < n_x; j++) {
        s.out.low[j] = INFINITY;
        s.out.high[j] = -INFINITY;
    }
    if (!read(&s, first, end, 0)) return;
    *s.out.weight = s.total;
    close_means(&s, n_x);
    read(&s, first, end, 1);
}
