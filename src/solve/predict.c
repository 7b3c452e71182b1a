/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prediction, and the sigmoid by itself.
 */
#include "sums/sums.h"

size_t logreg_predict_workspace_size(const logreg_data *data, int n_threads)
{
    const logreg_plan plan = logreg_plan_of(data, NULL, &logreg_prediction_sums, 0, n_threads);
    return logreg_workspace_of(&plan).size;
}

static LOGREG_NOINLINE int predict(const logreg_data *data, const double *w, double b,
                                   logreg_predictions predictions, const logreg_run *run)
{
    logreg_pass pass;
    logreg_pass_open(&pass, data, NULL, &logreg_prediction_sums, NULL, run, run->workspace);
    logreg_pass_copy(&pass, pass.w, w, data->n_x);
    pass.context = &predictions;
    logreg_nodes *nodes = logreg_pass_sum(&pass, b);
    if (nodes == NULL) return LOGREG_STOPPED;
    const double *finite = logreg_root(&logreg_prediction_sums, data->n_x, nodes, pass.plan.end);
    return *finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_decision(const logreg_data *data, const double *w, double b, double *Z,
                    const logreg_run *run)
{
    const logreg_predictions to_Z = {.out = Z};
    LOGREG_IN_DEFAULT_MODES(int, predict(data, w, b, to_Z, run));
}

int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                         const logreg_run *run)
{
    const logreg_predictions to_A = {.out = A, .probabilities = 1};
    LOGREG_IN_DEFAULT_MODES(int, predict(data, w, b, to_A, run));
}

void logreg_sigmoid(const double *Z, double *A, int64_t n)
{
    const logreg_fp_modes found = logreg_fp_default();
    logreg_kernels_in_use(LOGREG_FLOAT64)->logistic.link(Z, A, n);
    logreg_fp_restore(found);
}
