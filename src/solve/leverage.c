/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Leverages. The threads share the examples, whose leverages do not depend on each other.
 */
#include "block/kernels.h"
#include "platform/parallel.h"
#include "platform/stop.h"

enum {
    TASK = 8 * LOGREG_LEVERAGE, /* examples */
    /* Multiply-adds below which a fork and join costs more than it brings. */
    SMALL = 1 << 17
};

typedef struct leveraging {
    const logreg_data *data;
    const double *centre, *L;
    double *out;
    double *scratch; /* of the threads */
    const logreg_kernels *kernels;
    logreg_stop stop;
} leveraging;

static int64_t scratch_size(int64_t n_x)
{
    return (n_x + 1) * LOGREG_LEVERAGE;
}

size_t logreg_leverage_workspace_size(const logreg_data *data, int n_threads)
{
    const int64_t threads = logreg_at_most((data->m + TASK - 1) / TASK, n_threads);
    return (size_t)(threads * scratch_size(data->n_x)) * sizeof(double);
}

static void run_task(void *context, int64_t task, int thread)
{
    leveraging *l = context;
    const int64_t n_x = l->data->n_x, end = logreg_at_most((task + 1) * TASK, l->data->m);
    double *out = l->scratch + thread * scratch_size(n_x), *solved = out + LOGREG_LEVERAGE;
    for (int64_t first = task * TASK; first < end; first += LOGREG_LEVERAGE) {
        const int64_t count = logreg_at_most(end - first, LOGREG_LEVERAGE);
        if (logreg_stop_due(&l->stop, thread, n_x * (n_x + 1) / 2 * count)) return;
        l->kernels->leverages(l->data, first, count, l->centre, l->L, solved, out);
        memcpy(l->out + first, out, (size_t)count * sizeof *out);
    }
}

static LOGREG_NOINLINE int leverages(leveraging *l, const logreg_run *run)
{
    const int64_t m = l->data->m, tasks = (m + TASK - 1) / TASK;
    const int small = (double)m * (double)l->data->n_x * (double)l->data->n_x < SMALL;
    const int n_threads = small ? 1 : logreg_threads_for(tasks, run->n_threads);
    l->scratch = run->workspace;
    l->kernels = logreg_kernels_in_use(LOGREG_FLOAT64);
    logreg_stop_open(&l->stop, run);
    logreg_parallel_for(tasks, logreg_threads_startable(n_threads), run_task, l);
    return logreg_stop_seen(&l->stop) ? LOGREG_STOPPED : LOGREG_OK;
}

int logreg_leverage(const logreg_data *data, const double *centre, const double *L, double *out,
                    const logreg_run *run)
{
    leveraging l = {.data = data, .centre = centre, .L = L, .out = out};
    LOGREG_IN_DEFAULT_MODES(int, leverages(&l, run));
}
