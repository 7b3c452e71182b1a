/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many minima: the threads share the fits, one fit per task, each on a single thread. A fit of so
 * many values that a pass occupies every thread comes before, on its own. The number of threads
 * changes no bit of a fit, so neither does this choice.
 */
#include "pass/plan.h"
#include "platform/parallel.h"
#include "platform/stop.h"

enum {
    LARGE = 1 << 20, /* values of X from which the threads share one fit */
    COSTS = 64,      /* steps between two looks at what is left to do */
    ASK = 1 << 17    /* work after which the clock is read */
};

typedef struct many {
    logreg_fit *fits;
    const logreg_goal *goal;
    const logreg_run *run;
    logreg_stop stop;
    size_t minimizer, own; /* bytes: a state, and with it everything that one thread works on */
} many;

/* Which of the threads asks whether to stop: the calling thread asks the caller. */
typedef struct asking {
    many *all;
    int thread;
} asking;

static int should_stop(void *context)
{
    const asking *a = context;
    return logreg_stop_due(&a->all->stop, a->thread, ASK);
}

static int is_large(const logreg_fit *fit)
{
    return fit->data.m * (logreg_width(&fit->data) + 1) >= LARGE;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Whether the workspace of both is the same. That of columns depends on where they are. */
static int is_alike(const logreg_data *a, const logreg_data *b)
{
    const uintptr_t apart = (uintptr_t)a->X.values - (uintptr_t)b->X.values;
    return !a->features && !b->features && !a->starts && !b->starts && !a->codes && !b->codes &&
           a->n_x == b->n_x && a->m == b->m && a->example_major == b->example_major &&
           a->X.type == b->X.type && a->X.stride == b->X.stride &&
           a->feature_stride == b->feature_stride && a->arithmetic == b->arithmetic &&
           apart % sizeof(double) == 0;
}

/* Sets the sizes of the state and of a thread's memory for the large or the small fits; returns how
 * many of these there are. */
static int64_t measure(many *all, int64_t count, int large, int n_threads)
{
    const logreg_data *last = NULL;
    size_t workspace = 0;
    int64_t found = 0;
    all->minimizer = 0;
    for (int64_t k = 0; k < count; k++) {
        const logreg_data *data = &all->fits[k].data;
        if (is_large(all->fits + k) != large) continue;
        found++;
        if (last && is_alike(last, data)) continue;
        all->minimizer = larger(all->minimizer, logreg_minimizer_size(data));
        workspace = larger(workspace, logreg_minimize_workspace_size(data, n_threads));
        last = data;
    }
    all->minimizer = logreg_in_lines(all->minimizer);
    all->own = all->minimizer + COSTS * sizeof(double) + logreg_in_lines(workspace);
    return found;
}

size_t logreg_minimize_many_workspace_size(const logreg_fit *fits, int64_t count, int n_threads)
{
    many all = {.fits = (logreg_fit *)(uintptr_t)fits};
    size_t size = measure(&all, count, 1, n_threads) > 0 ? all.own : 0;
    const int64_t small = measure(&all, count, 0, 1);
    if (small > 0) size = larger(size, (size_t)logreg_threads_for(small, n_threads) * all.own);
    return size;
}

static void solve(many *all, logreg_fit *fit, int thread, int n_threads)
{
    asking asks = {all, thread};
    char *memory = (char *)all->run->workspace + (size_t)thread * all->own;
    logreg_minimizer *minimizer = (logreg_minimizer *)(void *)memory;
    double *costs = (double *)(void *)(memory + all->minimizer);
    const logreg_run run = {n_threads, should_stop, &asks, costs + COSTS};
    logreg_goal goal = *all->goal;
    int64_t n_costs;
    if (should_stop(&asks)) return;
    goal.l2 = fit->l2;
    logreg_minimizer_open(minimizer, &fit->data, &goal, fit->w, fit->found.b);
    do {
        fit->status = logreg_minimize(&fit->data, NULL, minimizer, costs, COSTS, &n_costs, &run);
        if (n_costs > 0) fit->J = costs[n_costs - 1];
    } while (fit->status == LOGREG_OK && n_costs == COSTS);
    fit->found = logreg_minimizer_progress(minimizer, fit->w);
}

static void solve_small(void *context, int64_t task, int thread)
{
    many *all = context;
    if (!is_large(all->fits + task)) solve(all, all->fits + task, thread, 1);
}

int logreg_minimize_many(logreg_fit *fits, int64_t count, const logreg_goal *goal,
                         const logreg_run *run)
{
    many all = {.fits = fits, .goal = goal, .run = run};
    logreg_stop_open(&all.stop, run);
    const int64_t large = measure(&all, count, 1, run->n_threads);
    for (int64_t k = 0; k < count && large > 0; k++)
        if (is_large(fits + k)) solve(&all, fits + k, 0, run->n_threads);
    const int64_t small = measure(&all, count, 0, 1);
    const int n_threads = logreg_threads_startable(logreg_threads_for(small, run->n_threads));
    if (small > 0) logreg_parallel_for(count, n_threads, solve_small, &all);
    return logreg_stop_seen(&all.stop) ? LOGREG_STOPPED : LOGREG_OK;
}
