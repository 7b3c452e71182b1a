/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prediction: the forward half of the pass, and the sigmoid by itself.
 */
#include "pass.h"

typedef struct prediction {
    logreg_pass pass;
    double *A;
} prediction;

/* The first double of a thread's nodes, which are free here, gathers whether its Z were finite. */
static void predict_task(void *context, int64_t task, int thread)
{
    prediction *p = context;
    const int64_t n_x = p->pass.data->n_x;
    double *finite = logreg_pass_waiting(&p->pass, thread);
    const logreg_plan *plan = &p->pass.plan;
    const int64_t m = p->pass.data->m, size = plan->segment << plan->task_level;
    const int64_t first = task * size, end = m - first < size ? m : first + size;
    logreg_block block = logreg_pass_block(&p->pass, first, end, thread);
    for (; block.first < end; block.first += block.count) {
        if (end - block.first < block.count) block.count = end - block.first;
        if (logreg_stop_due(&p->pass.stop, thread, block.count * (n_x + 8))) return;
        p->pass.plan.kernels->forward(&block);
        p->pass.plan.kernels->widen(&block, p->A + block.first);
        *finite += logreg_kernels_in_use(LOGREG_FLOAT64)->predict(p->A + block.first, block.count);
    }
}

static LOGREG_NOINLINE int predict_proba(const logreg_data *data, const double *w, double b,
                                         double *A, const logreg_run *run)
{
    prediction p;
    double finite = 0.0;
    logreg_pass_open(&p.pass, data, run, LOGREG_PREDICTION, NULL);
    memcpy(p.pass.w, w, (size_t)data->n_x * sizeof *w);
    logreg_pass_start(&p.pass, b);
    p.A = A;
    for (int t = 0; t < run->n_threads; t++) *logreg_pass_waiting(&p.pass, t) = 0.0;
    logreg_parallel_for(p.pass.plan.n_tasks, p.pass.n_threads, predict_task, &p);
    if (logreg_stop_seen(&p.pass.stop)) return LOGREG_STOPPED;
    for (int t = 0; t < run->n_threads; t++) finite += *logreg_pass_waiting(&p.pass, t);
    return finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                         const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = predict_proba(data, w, b, A, run);
    logreg_fp_restore(found);
    return status;
}

void logreg_sigmoid(const double *Z, double *A, int64_t n)
{
    const logreg_fp_modes found = logreg_fp_default();
    logreg_kernels_in_use(LOGREG_FLOAT64)->sigmoid(Z, A, n);
    logreg_fp_restore(found);
}
