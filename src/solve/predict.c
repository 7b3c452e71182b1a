/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prediction: the forward half of the pass, and the sigmoid by itself.
 */
#include "pass/pass.h"

typedef struct prediction {
    logreg_pass pass;
    int probabilities; /* Z becomes A */
    double *out;
} prediction;

/* 0, or NaN where a Z is not finite. */
static double not_finite(const double *Z, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += Z[i] - Z[i];
    return sum;
}

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
        double *out = p->out + block.first;
        p->pass.plan.kernels->widen(&block, out);
        *finite += p->probabilities
                       ? logreg_kernels_in_use(LOGREG_FLOAT64)->predict(out, block.count)
                       : not_finite(out, block.count);
    }
}

static LOGREG_NOINLINE int predict(const logreg_data *data, const double *w, double b,
                                   int probabilities, double *out, const logreg_run *run)
{
    prediction p;
    double finite = 0.0;
    logreg_pass_open(&p.pass, data, run, LOGREG_PREDICTION, NULL);
    memcpy(p.pass.w, w, (size_t)data->n_x * sizeof *w);
    logreg_pass_start(&p.pass, b);
    p.probabilities = probabilities;
    p.out = out;
    for (int t = 0; t < run->n_threads; t++) *logreg_pass_waiting(&p.pass, t) = 0.0;
    logreg_parallel_for(p.pass.plan.n_tasks, p.pass.n_threads, predict_task, &p);
    if (logreg_stop_seen(&p.pass.stop)) return LOGREG_STOPPED;
    for (int t = 0; t < run->n_threads; t++) finite += *logreg_pass_waiting(&p.pass, t);
    return finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

int logreg_decision(const logreg_data *data, const double *w, double b, double *Z,
                    const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = predict(data, w, b, 0, Z, run);
    logreg_fp_restore(found);
    return status;
}

int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                         const logreg_run *run)
{
    const logreg_fp_modes found = logreg_fp_default();
    const int status = predict(data, w, b, 1, A, run);
    logreg_fp_restore(found);
    return status;
}

void logreg_sigmoid(const double *Z, double *A, int64_t n)
{
    const logreg_fp_modes found = logreg_fp_default();
    logreg_kernels_in_use(LOGREG_FLOAT64)->sigmoid(Z, A, n);
    logreg_fp_restore(found);
}
