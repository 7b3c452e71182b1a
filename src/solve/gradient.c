/* SPDX-License-Identifier: BSD-3-Clause
 *
 * J, dw and db at a point: of an array in one call, and of data that come in parts.
 */
#include "solve/gradient.h"

double logreg_centred_b(double b_std, const double *w, const logreg_standardization *s, int64_t n_x)
{
    double b = b_std;
    if (is_centred(s))
        for (int64_t j = 0; j < n_x; j++) b -= w[j] * s->mean_lo[j];
    return b;
}

gradient logreg_finish(logreg_stop *stop, double *root, int64_t n_x, logreg_type arithmetic,
                       const double *w, double l2, const logreg_standardization *s)
{
    const double *sums = root + logreg_padded(n_x), total = sums[LOGREG_SUM_WEIGHT];
    const double smallest =
        arithmetic == LOGREG_FLOAT32 ? LOGREG_SMALLEST_SUM_FLOAT32 : LOGREG_SMALLEST_SUM;
    twofold squares = {0.0, 0.0}; /* a plain sum of many loses digits of J */
    gradient g;
    g.J = sums[LOGREG_SUM_J] / total;
    g.db = sums[LOGREG_SUM_DB] / total;
    g.largest = 0.0;
    g.within_range = total >= smallest && is_within_range(total);
    for (int64_t j = 0; j < n_x; j++) {
        if (stopped_at(stop, j)) break;
        const double scale = scale_of(s, j), w_j = w[j] * scale;
        double dw = root[j];
        if (is_centred(s)) dw -= s->mean_lo[j] * sums[LOGREG_SUM_DB];
        dw /= total;
        if (s) dw = scale > 0.0 ? dw / scale : 0.0 * dw;
        if (l2 > 0.0) {
            dw += l2 * w_j;
            const twofold next = two_sum(squares.hi, w_j * w_j);
            squares.hi = next.hi;
            squares.lo += next.lo;
        }
        root[j] = dw;
        g.within_range &= is_within_range(dw);
        if (magnitude(dw) > g.largest) g.largest = magnitude(dw);
    }
    if (l2 > 0.0) g.J += 0.5 * l2 * (squares.hi + squares.lo);
    g.within_range &= is_within_range(g.J); /* so is db, where the weights sum to a number */
    return g;
}

/* ---- In one call ----------------------------------------------------------------------------- */

static double raw_weight_at(const logreg_point *point, int64_t j)
{
    return point->raw_w ? point->w[j] : raw_weight(point->standardization, point->w[j], j);
}

static void place(logreg_pass *pass, const logreg_point *point, int64_t n_x)
{
    for (int64_t j = 0; j < n_x && !stopped_at(&pass->stop, j); j++)
        pass->w[j] = raw_weight_at(point, j);
}

static const double *centre_of(const logreg_point *point)
{
    return point && is_centred(point->standardization) ? point->standardization->mean : NULL;
}

static void open_at(logreg_pass *pass, const logreg_data *data, const logreg_point *point,
                    const logreg_run *run, void *workspace)
{
    logreg_pass_open(pass, data, NULL, &logreg_gradient_sums, centre_of(point), run, workspace);
    place(pass, point, data->n_x);
    pass->b = logreg_centred_b(point->b, pass->w, point->standardization, data->n_x);
}

/* What has been summed as J, dw and db. */
static int finish_at(logreg_pass *pass, const logreg_point *point, double l2, double *J, double *dw,
                     double *db)
{
    const logreg_data *data = pass->plan.reading.data;
    double *root = logreg_root(&logreg_gradient_sums, data->n_x, &pass->nodes, pass->plan.end);
    const gradient g = logreg_finish(&pass->stop, root, data->n_x, data->arithmetic, pass->w, l2,
                                     point->standardization);
    if (logreg_stop_seen(&pass->stop)) return LOGREG_STOPPED;
    if (!g.within_range) return LOGREG_PASS_OVERFLOW;
    *J = g.J;
    *db = g.db;
    logreg_pass_copy(pass, dw, root, data->n_x);
    return logreg_stop_seen(&pass->stop) ? LOGREG_STOPPED : LOGREG_OK;
}

LOGREG_NOINLINE int logreg_gradient_at(const logreg_data *data, const logreg_point *point,
                                       double l2, double *J, double *dw, double *db, double *Z,
                                       const logreg_run *run)
{
    logreg_pass pass;
    open_at(&pass, data, point, run, run->workspace);
    pass.context = Z;
    if (!logreg_pass_sum_together(&pass, 1)) return LOGREG_STOPPED;
    return finish_at(&pass, point, l2, J, dw, db);
}

int logreg_cost_and_gradient(const logreg_data *data, const logreg_standardization *standardization,
                             const double *w, double b, double l2, double *J, double *dw,
                             double *db, const logreg_run *run)
{
    const logreg_point point = {w, b, standardization, 0};
    LOGREG_IN_DEFAULT_MODES(int, logreg_gradient_at(data, &point, l2, J, dw, db, NULL, run));
}

/* ---- At several points in one call ----------------------------------------------------------- */

size_t logreg_evaluate_together_workspace_size(const logreg_data *data, int64_t count,
                                               int n_threads)
{
    return logreg_in_lines((size_t)count * sizeof(logreg_pass)) +
           (size_t)count * logreg_in_lines(logreg_workspace_size(data, 0, n_threads));
}

static LOGREG_NOINLINE int evaluate_together(logreg_trial *trials, int64_t count,
                                             const logreg_run *run)
{
    logreg_pass *passes = run->workspace;
    char *memory = (char *)passes + logreg_in_lines((size_t)count * sizeof *passes);
    for (int64_t k = 0; k < count; k++) {
        const logreg_point point = {trials[k].w, trials[k].b, NULL, 0};
        open_at(&passes[k], &trials[k].data, &point, run, memory);
        passes[k].beside = passes;
        passes[k].n_beside = count;
        memory += logreg_in_lines(logreg_workspace_of(&passes[k].plan).size);
    }
    if (!logreg_pass_sum_together(passes, count)) return LOGREG_STOPPED;
    for (int64_t k = 0; k < count; k++) {
        logreg_trial *trial = &trials[k];
        const logreg_point point = {trial->w, trial->b, NULL, 0};
        trial->status = finish_at(&passes[k], &point, trial->l2, &trial->J, trial->dw, &trial->db);
        if (trial->status == LOGREG_STOPPED) return LOGREG_STOPPED;
    }
    return LOGREG_OK;
}

int logreg_evaluate_together(logreg_trial *trials, int64_t count, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, evaluate_together(trials, count, run));
}

/* ---- In parts -------------------------------------------------------------------------------- */

size_t logreg_sum_workspace_size(const logreg_sum_kind *kind, const logreg_data *data,
                                 const logreg_part *part, int centred, int n_threads)
{
    const logreg_plan plan = logreg_plan_of(data, part, kind, centred, n_threads);
    return logreg_workspace_of(&plan).size;
}

static LOGREG_NOINLINE int sum(const logreg_sum_kind *kind, const logreg_data *data,
                               const logreg_part *part, const logreg_point *point,
                               logreg_nodes *nodes, const logreg_run *run)
{
    const int64_t n_x = data->n_x;
    double b = 0.0;
    logreg_pass pass;
    if (part->first == part->end) return LOGREG_OK;
    logreg_pass_open(&pass, data, part, kind, centre_of(point), run, run->workspace);
    if (point) {
        place(&pass, point, n_x);
        b = logreg_centred_b(point->b, pass.w, point->standardization, n_x);
    }
    const logreg_nodes *found = logreg_pass_sum(&pass, b);
    if (found == NULL) return LOGREG_STOPPED;
    logreg_merge(kind, n_x, nodes, found);
    return LOGREG_OK;
}

int logreg_sum(const logreg_sum_kind *kind, const logreg_data *data, const logreg_part *part,
               const logreg_point *point, logreg_nodes *nodes, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, sum(kind, data, part, point, nodes, run));
}

static LOGREG_NOINLINE int finish_gradient(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                           logreg_type arithmetic, const logreg_point *point,
                                           double l2, double *J, double *dw, double *db)
{
    const logreg_standardization *s = point->standardization;
    double *root = logreg_root(&logreg_gradient_sums, n_x, nodes, n_segments);
    if (root == NULL) return LOGREG_INCOMPLETE;
    for (int64_t j = 0; j < n_x; j++) dw[j] = raw_weight_at(point, j); /* w, for now */
    const gradient g = logreg_finish(NULL, root, n_x, arithmetic, dw, l2, s);
    *J = g.J;
    *db = g.db;
    memcpy(dw, root, (size_t)n_x * sizeof *dw);
    return g.within_range ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_finish_gradient(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                           logreg_type arithmetic, const logreg_point *point, double l2, double *J,
                           double *dw, double *db)
{
    LOGREG_IN_DEFAULT_MODES(
        int, finish_gradient(nodes, n_segments, n_x, arithmetic, point, l2, J, dw, db));
}
