/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Hessian of a softmax: a Gram for each pair of outputs. That of the loss of an example by its
 * Z is the sum of s a_k a_l (e_k - e_l) (e_k - e_l)' over the pairs k > l.
 */
#include "solve/gram.h"
#include "solve/vectors.h"

/* What lies before the workspace of a Gram: the weights of the examples, the Gram and its means. */
typedef struct parts {
    double *h, *G, *mu;
    char *rest;
} parts;

static parts parts_of(const logreg_data *data, char *workspace)
{
    const size_t n = (size_t)data->n_x, size = sizeof(double);
    parts p;
    p.h = (double *)(void *)workspace;
    p.G = (double *)(void *)(workspace + logreg_in_lines((size_t)data->m * size));
    p.mu = (double *)(void *)((char *)p.G + logreg_in_lines(n * n * size));
    p.rest = (char *)p.mu + logreg_in_lines(n * size);
    return p;
}

size_t logreg_softmax_hessian_workspace_size(const logreg_data *data, int n_threads)
{
    char origin; /* nothing is read */
    logreg_data weighted = *data;
    weighted.sample_weight = (logreg_column){&origin, sizeof(double), LOGREG_FLOAT64};
    return (size_t)(parts_of(data, &origin).rest - &origin) +
           logreg_gram_workspace_size(&weighted, n_threads);
}

/* h = s a_k a_l, or 0 where that is less than `least` times the mean over the examples. */
static void weigh_pair(const double *A, const double *s, int64_t n_outputs, int64_t m, int64_t k,
                       int64_t l, double least, double *h)
{
    double sum = 0.0;
    for (int64_t i = 0; i < m; i++, A += n_outputs) {
        h[i] = (s ? s[i] * A[k] : A[k]) * A[l];
        sum += h[i];
    }
    const double threshold = least * (sum / (double)m);
    for (int64_t i = 0; least > 0.0 && i < m; i++)
        if (h[i] < threshold) h[i] = 0.0;
}

/* H += G about the centre, and the row of b, for outputs k > l. */
static void add_pair(const parts *p, double S, const double *centre, int64_t n_x, int64_t n_outputs,
                     int64_t k, int64_t l, double *H)
{
    const int64_t n = n_x + 1, stride = n_outputs * n;
    double *of_k = H + k * n * (stride + 1), *of_l = H + l * n * (stride + 1);
    double *of_both = H + k * n * stride + l * n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double off = j < n_x ? p->mu[j] - centre[j] : 1.0;
            const double value = i == n_x ? (j < n_x ? S * off : S)
                                          : p->G[i * n_x + j] + S * ((p->mu[i] - centre[i]) * off);
            of_k[i * stride + j] += value;
            of_l[i * stride + j] += value;
            of_both[i * stride + j] = of_both[j * stride + i] = -value;
        }
}

static LOGREG_NOINLINE int hessian(const logreg_data *data, int64_t n_outputs, const double *A,
                                   const double *s, double least, const double *centre, double *H,
                                   const logreg_run *run)
{
    const parts p = parts_of(data, run->workspace);
    const int64_t n_x = data->n_x, size = n_outputs * (n_x + 1);
    logreg_run of_gram = *run;
    logreg_data weighted = *data;
    weighted.sample_weight = (logreg_column){p.h, sizeof(double), LOGREG_FLOAT64};
    of_gram.workspace = p.rest;
    memset(H, 0, (size_t)(size * size) * sizeof *H);
    for (int64_t k = 0; k < n_outputs; k++)
        for (int64_t l = 0; l < k; l++) {
            double S;
            weigh_pair(A, s, n_outputs, data->m, k, l, least, p.h);
            const int status = logreg_gram_of_weighted(&weighted, centre, p.G, p.mu, &S, &of_gram);
            if (status != LOGREG_OK) return status;
            add_pair(&p, S, centre, n_x, n_outputs, k, l, H);
        }
    return LOGREG_OK;
}

int logreg_softmax_hessian(const logreg_data *data, int64_t n_outputs, const double *A,
                           const double *s, double least, const double *centre, double *H,
                           const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, hessian(data, n_outputs, A, s, least, centre, H, run));
}
