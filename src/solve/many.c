/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many minima: the threads share the fits, one fit per task, each on a single thread. Fits of so
 * many values that a pass occupies every thread come before, and those of one X that follow one
 * another share its passes. The number of threads changes no bit of a fit, so neither does this
 * choice.
 */
#include "platform/parallel.h"
#include "solve/minimize.h"

enum {
    LARGE = 1 << 20,        /* values of X from which the threads share one fit */
    TOGETHER = 16,          /* the most fits that share passes, */
    STATES_BYTES = 1 << 26, /* and what their states take at most, if there are several */
    COSTS = 64,             /* steps between two looks at what is left to do */
    ASK = 1 << 17           /* work after which the clock is read */
};

typedef struct many {
    logreg_fit *fits;
    int64_t count;
    const logreg_goal *goal;
    const logreg_run *run;
    logreg_stop stop;
    size_t minimizer, own; /* bytes: a small fit's state, and all that one thread works on */
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

static logreg_goal goal_of(const many *all, const logreg_fit *fit)
{
    logreg_goal goal = *all->goal;
    goal.l2 = fit->l2;
    return goal;
}

/* ---- Large fits ------------------------------------------------------------------------------ */

static int are_same(const logreg_column *a, const logreg_column *b, int64_t n)
{
    for (int64_t j = 0; j < n && a != b; j++)
        if (!a || !b || a[j].values != b[j].values || a[j].stride != b[j].stride ||
            a[j].type != b[j].type)
            return 0;
    return 1;
}

/* Whether both read the same X in the same arithmetic. */
static int is_same_X(const logreg_data *a, const logreg_data *b)
{
    return a->n_x == b->n_x && a->m == b->m && a->arithmetic == b->arithmetic &&
           a->example_major == b->example_major && a->feature_stride == b->feature_stride &&
           a->starts == b->starts && a->ends == b->ends && a->indices == b->indices &&
           a->n_codes == b->n_codes && are_same(&a->X, &b->X, 1) &&
           are_same(a->features, b->features, logreg_numbers(a)) &&
           are_same(a->codes, b->codes, a->n_codes);
}

static size_t state_size(const logreg_data *data)
{
    return logreg_in_lines(logreg_minimizer_size(data));
}

/* How many fits from number k on share passes. */
static int64_t count_together(const many *all, int64_t k)
{
    const logreg_data *data = &all->fits[k].data;
    const int64_t most = logreg_at_most(STATES_BYTES / (int64_t)state_size(data), TOGETHER);
    int64_t n = 1;
    while (n < most && k + n < all->count && is_same_X(data, &all->fits[k + n].data)) n++;
    return n;
}

static size_t size_together(const many *all, int64_t k, int64_t n, int n_threads)
{
    logreg_member members[TOGETHER];
    for (int64_t i = 0; i < n; i++) members[i].data = &all->fits[k + i].data;
    return (size_t)n * state_size(members->data) +
           logreg_minimize_together_workspace_size(members, n, n_threads);
}

static void solve_together(many *all, int64_t k, int64_t n)
{
    asking asks = {all, 0};
    logreg_fit *fits = all->fits + k;
    const size_t state = state_size(&fits->data);
    char *memory = all->run->workspace;
    const logreg_run run = {all->run->n_threads, should_stop, &asks, memory + (size_t)n * state};
    logreg_member members[TOGETHER];
    if (should_stop(&asks)) return;
    for (int64_t i = 0; i < n; i++, memory += state) {
        const logreg_goal goal = goal_of(all, fits + i);
        members[i] =
            (logreg_member){.data = &fits[i].data, .minimizer = (logreg_minimizer *)(void *)memory};
        logreg_minimizer_open(members[i].minimizer, &fits[i].data, &goal, fits[i].w,
                              fits[i].found.b);
    }
    if (logreg_minimize_together(members, n, &run) == LOGREG_STOPPED) return;
    for (int64_t i = 0; i < n; i++) {
        if (members[i].minimizer->begun) fits[i].J = members[i].minimizer->search.J;
        fits[i].status = members[i].status;
        fits[i].found = logreg_minimizer_progress(members[i].minimizer, fits[i].w);
    }
}

/* ---- Small fits ------------------------------------------------------------------------------ */

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

/* Sets the sizes of the state and of a thread's memory; returns how many of these there are. */
static int64_t measure(many *all)
{
    const logreg_data *last = NULL;
    size_t workspace = 0;
    int64_t found = 0;
    all->minimizer = 0;
    for (int64_t k = 0; k < all->count; k++) {
        const logreg_data *data = &all->fits[k].data;
        if (is_large(all->fits + k)) continue;
        found++;
        if (last && is_alike(last, data)) continue;
        all->minimizer = larger(all->minimizer, state_size(data));
        workspace = larger(workspace, logreg_minimize_workspace_size(data, 1));
        last = data;
    }
    all->own = all->minimizer + COSTS * sizeof(double) + logreg_in_lines(workspace);
    return found;
}

static void solve_small(void *context, int64_t task, int thread)
{
    many *all = context;
    logreg_fit *fit = all->fits + task;
    asking asks = {all, thread};
    char *memory = (char *)all->run->workspace + (size_t)thread * all->own;
    logreg_minimizer *minimizer = (logreg_minimizer *)(void *)memory;
    double *costs = (double *)(void *)(memory + all->minimizer);
    const logreg_run run = {1, should_stop, &asks, costs + COSTS};
    const logreg_goal goal = goal_of(all, fit);
    int64_t n_costs;
    if (is_large(fit) || should_stop(&asks)) return;
    logreg_minimizer_open(minimizer, &fit->data, &goal, fit->w, fit->found.b);
    do {
        fit->status = logreg_minimize(&fit->data, NULL, minimizer, costs, COSTS, &n_costs, &run);
        if (n_costs > 0) fit->J = costs[n_costs - 1];
    } while (fit->status == LOGREG_OK && n_costs == COSTS);
    fit->found = logreg_minimizer_progress(minimizer, fit->w);
}

/* ---- All of them ----------------------------------------------------------------------------- */

size_t logreg_minimize_many_workspace_size(const logreg_fit *fits, int64_t count, int n_threads)
{
    many all = {.fits = (logreg_fit *)(uintptr_t)fits, .count = count};
    const int64_t small = measure(&all);
    size_t size = small > 0 ? (size_t)logreg_threads_for(small, n_threads) * all.own : 0;
    for (int64_t k = 0, n; k < count; k += n) {
        n = is_large(fits + k) ? count_together(&all, k) : 1;
        if (is_large(fits + k)) size = larger(size, size_together(&all, k, n, n_threads));
    }
    return size;
}

int logreg_minimize_many(logreg_fit *fits, int64_t count, const logreg_goal *goal,
                         const logreg_run *run)
{
    many all = {.fits = fits, .count = count, .goal = goal, .run = run};
    logreg_stop_open(&all.stop, run);
    for (int64_t k = 0, n; k < count; k += n) {
        n = is_large(fits + k) ? count_together(&all, k) : 1;
        if (is_large(fits + k)) solve_together(&all, k, n);
    }
    const int64_t small = measure(&all);
    const int n_threads = logreg_threads_startable(logreg_threads_for(small, run->n_threads));
    if (small > 0) logreg_parallel_for(count, n_threads, solve_small, &all);
    return logreg_stop_seen(&all.stop) ? LOGREG_STOPPED : LOGREG_OK;
}
