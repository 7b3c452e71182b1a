/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prediction: the forward half of the pass, and the sigmoid by itself.
 */
#include "pass.h"

typedef struct prediction {
    logreg_pass pass;
    double *A;
} prediction;

/* A thread's nodes are free here: the first double of them gathers whether its Z were finite. */
static void predict_segment(void *context, int64_t segment, int thread)
{
    prediction *p = context;
    const logreg_data *data = p->pass.data;
    const int64_t first = segment * p->pass.segment;
    const int64_t end = first + p->pass.segment < data->m ? first + p->pass.segment : data->m;
    for (int64_t i = first; i < end; i += p->pass.block) {
        const logreg_block block = logreg_pass_block(&p->pass, i, end, thread);
        if (logreg_stop_due(&p->pass.stop, thread, block.count * (data->n_x + LOGREG_LANES)))
            return;
        p->pass.kernels->forward(&block);
        logreg_pass_scratch(&p->pass, thread).nodes[0] += p->pass.kernels->predict(&block);
        memcpy(p->A + i, block.Z, (size_t)block.count * sizeof *block.Z);
    }
}

int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                         const logreg_run *run)
{
    prediction p;
    double finite = 0.0;
    logreg_pass_open(&p.pass, data, run, NULL);
    memcpy(p.pass.w, w, (size_t)data->n_x * sizeof *w);
    p.pass.b = b;
    p.A = A;
    for (int t = 0; t < run->n_threads; t++) logreg_pass_scratch(&p.pass, t).nodes[0] = 0.0;
    logreg_parallel_for(p.pass.n_segments, p.pass.n_threads, predict_segment, &p);
    if (logreg_stop_seen(&p.pass.stop)) return LOGREG_STOPPED;
    for (int t = 0; t < run->n_threads; t++) finite += logreg_pass_scratch(&p.pass, t).nodes[0];
    return finite == 0.0 ? LOGREG_OK : LOGREG_PASS_OVERFLOW;
}

void logreg_sigmoid(const double *Z, double *A, int64_t n)
{
    const logreg_fp_modes found = logreg_fp_default();
    logreg_kernels_in_use()->sigmoid(Z, A, n);
    logreg_fp_restore(found);
}
