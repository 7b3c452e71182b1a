/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Softmax: J and its gradient for several outputs, in one pass or of data that come in parts, and
 * predictions.
 */
#include "solve/gradient.h"

/* w, padded, and b lie before the workspace of the pass. */
static int64_t parameters(int64_t n_x, int64_t n_outputs)
{
    return (n_x + 1) * logreg_gram_padded(n_outputs);
}

static logreg_sum_kind kind_of(const logreg_sum_kind *kind, int64_t n_outputs)
{
    logreg_sum_kind of = *kind;
    of.outputs = n_outputs;
    return of;
}

/* w (n_x, n_outputs) and b, both with the outputs padded by zeros. */
static void place(const double *w, const double *b, int64_t n_x, int64_t n_outputs, double *to)
{
    const int64_t padded = logreg_gram_padded(n_outputs);
    memset(to, 0, (size_t)parameters(n_x, n_outputs) * sizeof *to);
    for (int64_t j = 0; j < n_x; j++, w += n_outputs, to += padded)
        memcpy(to, w, (size_t)n_outputs * sizeof *to);
    memcpy(to, b, (size_t)n_outputs * sizeof *to);
}

static size_t workspace_size(const logreg_sum_kind *kind, const logreg_data *data,
                             const logreg_part *part, int64_t n_outputs, int n_threads)
{
    const logreg_sum_kind of = kind_of(kind, n_outputs);
    const logreg_plan plan = logreg_plan_of(data, part, &of, 0, n_threads);
    return logreg_in_lines((size_t)parameters(data->n_x, n_outputs) * sizeof(double)) +
           logreg_workspace_of(&plan).size;
}

size_t logreg_softmax_workspace_size(const logreg_data *data, int64_t n_outputs, int n_threads)
{
    return workspace_size(&logreg_softmax_sums, data, NULL, n_outputs, n_threads);
}

size_t logreg_softmax_predict_workspace_size(const logreg_data *data, int64_t n_outputs,
                                             int n_threads)
{
    return workspace_size(&logreg_softmax_prediction_sums, data, NULL, n_outputs, n_threads);
}

/* Opens a pass over a part (NULL: all) at w and b, in the workspace of `run`. */
static void open(logreg_pass *pass, const logreg_data *data, const logreg_part *part,
                 const logreg_sum_kind *kind, const double *w, const double *b,
                 logreg_outputs *outputs, const logreg_run *run)
{
    double *placed = run->workspace;
    const int64_t size = parameters(data->n_x, kind->outputs);
    char *rest = (char *)placed + logreg_in_lines((size_t)size * sizeof *placed);
    place(w, b, data->n_x, kind->outputs, placed);
    outputs->w = placed;
    outputs->b = placed + data->n_x * logreg_gram_padded(kind->outputs);
    logreg_pass_open(pass, data, part, kind, NULL, run, rest);
    pass->context = outputs;
}

/* J, dw and db from the sums; dw is (n_x, n_outputs). 0 where one of them is not finite. */
static int finish(const double *root, const logreg_sum_kind *kind, const logreg_data *data,
                  const double *w, double l2, double *J, double *dw, double *db)
{
    const int64_t outputs = kind->outputs, padded = logreg_gram_padded(outputs), n_x = data->n_x;
    const double *of_b = root + logreg_gram_padded(n_x) * padded, *sums = of_b + padded;
    const double total = sums[LOGREG_SOFTMAX_WEIGHT];
    twofold squares = {0.0, 0.0};
    int within_range = total >= LOGREG_SMALLEST_SUM && is_within_range(total);
    for (int64_t j = 0; j < n_x; j++)
        for (int64_t k = 0; k < outputs; k++) {
            const double w_jk = w[j * outputs + k];
            double value = logreg_softmax_entry(data, root, padded, j, k) / total;
            if (l2 > 0.0) {
                value += l2 * w_jk;
                const twofold next = two_sum(squares.hi, w_jk * w_jk);
                squares.hi = next.hi;
                squares.lo += next.lo;
            }
            dw[j * outputs + k] = value;
            within_range &= is_within_range(value);
        }
    for (int64_t k = 0; k < outputs; k++) {
        db[k] = of_b[k] / total;
        within_range &= is_within_range(db[k]);
    }
    *J = sums[LOGREG_SOFTMAX_J] / total;
    if (l2 > 0.0) *J += 0.5 * l2 * (squares.hi + squares.lo);
    return within_range && is_within_range(*J);
}

static LOGREG_NOINLINE int cost_and_gradient(const logreg_data *data, const logreg_sum_kind *kind,
                                             const double *w, const double *b, double l2, double *J,
                                             double *dw, double *db, const logreg_run *run)
{
    logreg_outputs outputs = {.out = NULL};
    logreg_pass pass;
    open(&pass, data, NULL, kind, w, b, &outputs, run);
    logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
    if (nodes == NULL) return LOGREG_STOPPED;
    const double *root = logreg_root(kind, data->n_x, nodes, pass.plan.end);
    return finish(root, kind, data, w, l2, J, dw, db) ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_softmax_cost_and_gradient(const logreg_data *data, int64_t n_outputs, const double *w,
                                     const double *b, double l2, double *J, double *dw, double *db,
                                     const logreg_run *run)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    LOGREG_IN_DEFAULT_MODES(int, cost_and_gradient(data, &kind, w, b, l2, J, dw, db, run));
}

/* D and d from the sums. 0 where an entry of D is not finite. */
static int finish_curvature(const double *root, const logreg_sum_kind *kind,
                            const logreg_data *data, double *D, double *d)
{
    const int64_t n_x = data->n_x, padded = logreg_gram_padded(kind->outputs);
    double not_finite = 0.0;
    for (int64_t j = 0; j < n_x; j++)
        for (int64_t k = 0; k < kind->outputs; k++, D++) {
            *D = logreg_softmax_entry(data, root, padded, j, k);
            not_finite += *D - *D;
        }
    memcpy(d, root + logreg_gram_padded(n_x) * padded, (size_t)kind->outputs * sizeof *d);
    return not_finite == 0.0;
}

static LOGREG_NOINLINE int curvature(const logreg_data *data, const logreg_sum_kind *kind,
                                     const double *w, const double *b, const double *centre,
                                     double *D, double *d, const logreg_run *run)
{
    logreg_outputs outputs = {.squares = 1, .centre = centre};
    logreg_pass pass;
    open(&pass, data, NULL, kind, w, b, &outputs, run);
    logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
    if (nodes == NULL) return LOGREG_STOPPED;
    const double *root = logreg_root(kind, data->n_x, nodes, pass.plan.end);
    return finish_curvature(root, kind, data, D, d) ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_softmax_curvature(const logreg_data *data, int64_t n_outputs, const double *w,
                             const double *b, const double *centre, double *D, double *d,
                             const logreg_run *run)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    LOGREG_IN_DEFAULT_MODES(int, curvature(data, &kind, w, b, centre, D, d, run));
}

static LOGREG_NOINLINE int predict(const logreg_data *data, const logreg_sum_kind *kind,
                                   const double *w, const double *b, logreg_outputs outputs,
                                   const logreg_run *run)
{
    logreg_pass pass;
    open(&pass, data, NULL, kind, w, b, &outputs, run);
    logreg_nodes *nodes = logreg_pass_sum(&pass, 0.0);
    if (nodes == NULL) return LOGREG_STOPPED;
    const double *finite = logreg_root(kind, data->n_x, nodes, pass.plan.end);
    return *finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_softmax_predict(const logreg_data *data, int64_t n_outputs, const double *w,
                           const double *b, int probabilities, double *out, const logreg_run *run)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_prediction_sums, n_outputs);
    const logreg_outputs outputs = {.out = out, .probabilities = probabilities};
    LOGREG_IN_DEFAULT_MODES(int, predict(data, &kind, w, b, outputs, run));
}

/* ---- In parts -------------------------------------------------------------------------------- */

int64_t logreg_softmax_node_size(int64_t n_x, int64_t n_outputs)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    return logreg_node_size(&kind, n_x);
}

void logreg_merge_softmax(int64_t n_x, int64_t n_outputs, logreg_nodes *into,
                          const logreg_nodes *from)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    logreg_merge(&kind, n_x, into, from);
}

size_t logreg_sum_softmax_workspace_size(const logreg_data *data, const logreg_part *part,
                                         int64_t n_outputs, int n_threads)
{
    return workspace_size(&logreg_softmax_sums, data, part, n_outputs, n_threads);
}

static LOGREG_NOINLINE int sum(const logreg_data *data, const logreg_part *part,
                               const logreg_sum_kind *kind, const double *w, const double *b,
                               logreg_outputs outputs, logreg_nodes *nodes, const logreg_run *run)
{
    logreg_pass pass;
    if (part->first == part->end) return LOGREG_OK;
    open(&pass, data, part, kind, w, b, &outputs, run);
    const logreg_nodes *found = logreg_pass_sum(&pass, 0.0);
    if (found == NULL) return LOGREG_STOPPED;
    logreg_merge(kind, data->n_x, nodes, found);
    return LOGREG_OK;
}

int logreg_sum_softmax(const logreg_data *data, const logreg_part *part, int64_t n_outputs,
                       const double *w, const double *b, const double *centre, logreg_nodes *nodes,
                       const logreg_run *run)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    const logreg_outputs outputs = {.squares = centre != NULL, .centre = centre};
    LOGREG_IN_DEFAULT_MODES(int, sum(data, part, &kind, w, b, outputs, nodes, run));
}

static LOGREG_NOINLINE int finish_parts(logreg_nodes *nodes, int64_t n_segments,
                                        const logreg_data *whole, const logreg_sum_kind *kind,
                                        const double *w, double l2, double *J, double *dw,
                                        double *db)
{
    const double *root = logreg_root(kind, whole->n_x, nodes, n_segments);
    if (root == NULL) return LOGREG_INCOMPLETE;
    const int finite = w ? finish(root, kind, whole, w, l2, J, dw, db)
                         : finish_curvature(root, kind, whole, dw, db);
    return finite ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_softmax(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, int64_t n_outputs,
                          const double *w, double l2, double *J, double *dw, double *db)
{
    const logreg_sum_kind kind = kind_of(&logreg_softmax_sums, n_outputs);
    const logreg_data whole = {.n_x = n_x};
    LOGREG_IN_DEFAULT_MODES(int, finish_parts(nodes, n_segments, &whole, &kind, w, l2, J, dw, db));
}

int logreg_finish_softmax_curvature(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                    int64_t n_outputs, double *D, double *d)
{
    return logreg_finish_softmax(nodes, n_segments, n_x, n_outputs, NULL, 0.0, NULL, D, d);
}
