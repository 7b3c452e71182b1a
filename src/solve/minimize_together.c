/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several minima over one X: each search gets its samples and factors on its own, and one pass over
 * X gives a gradient to all that wait for one.
 */
#include "solve/minimize.h"

/* What a round works with: what is asked, by whom, and the memory for the answer. */
typedef struct asking {
    logreg_trial *trials;
    logreg_member **members;
    logreg_run run;
} asking;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static asking open_round(int64_t count, const logreg_run *run)
{
    asking a = {.trials = run->workspace, .run = *run};
    char *memory = (char *)run->workspace + logreg_in_lines((size_t)count * sizeof *a.trials);
    a.members = (logreg_member **)(void *)memory;
    a.run.workspace = memory + logreg_in_lines((size_t)count * sizeof *a.members);
    return a;
}

size_t logreg_minimize_together_workspace_size(const logreg_member *members, int64_t count,
                                               int n_threads)
{
    size_t size = 0;
    for (int64_t k = 0; k < count; k++) {
        logreg_data data = *members[k].data;
        size = larger(size, logreg_minimize_workspace_size(&data, n_threads));
        size = larger(size, logreg_evaluate_together_workspace_size(&data, count, n_threads));
        data.arithmetic = LOGREG_FLOAT64;
        size = larger(size, logreg_evaluate_together_workspace_size(&data, count, n_threads));
    }
    return logreg_in_lines((size_t)count * sizeof(logreg_trial)) +
           logreg_in_lines((size_t)count * sizeof(logreg_member *)) + size;
}

static logreg_context open(const logreg_member *member, const logreg_run *run)
{
    return logreg_open_context(member->data, 1, member->standardization, member->minimizer, run);
}

static logreg_request wants(const logreg_member *member)
{
    return logreg_minimizer_wants(member->minimizer, member->data, member->standardization);
}

/* Takes a search to where it wants a gradient, or nothing. */
static int advance(const logreg_member *member, const logreg_run *run)
{
    logreg_context c = open(member, run);
    int64_t n_costs = 0;
    for (;;) {
        const logreg_wanted wanted = wants(member).wanted;
        if (wanted == LOGREG_WANT_NOTHING || wanted == LOGREG_WANT_GRADIENT) return LOGREG_OK;
        if (logreg_supply(&c, &n_costs) == LOGREG_STOPPED) return LOGREG_STOPPED;
    }
}

/* Collects the gradients that are wanted in the arithmetic of the first; returns how many. */
static int64_t collect(asking *a, logreg_member *members, int64_t count)
{
    int64_t n = 0;
    for (int64_t k = 0; k < count; k++) {
        const logreg_request r = wants(&members[k]);
        if (r.wanted != LOGREG_WANT_GRADIENT) continue;
        if (n > 0 && r.arithmetic != a->trials->data.arithmetic) continue;
        const logreg_context c = open(&members[k], &a->run);
        a->trials[n] = (logreg_trial){
            .data = *members[k].data, .w = r.w, .b = r.b, .l2 = r.l2, .dw = c.a.v.trial_gradient};
        a->trials[n].data.arithmetic = r.arithmetic;
        a->members[n++] = &members[k];
    }
    return n;
}

static void take(const logreg_member *member, const logreg_trial *trial, const logreg_run *run)
{
    logreg_context c = open(member, run);
    const logreg_objective all = logreg_objective_of(&c, member->data, member->minimizer->total);
    double J = trial->status == LOGREG_OK ? trial->J : NAN;
    trial->dw[member->data->n_x] = trial->db;
    logreg_add_ridge(&c, &all, c.a.v.trial, &J, trial->dw);
    logreg_take_gradient(&c, J);
}

static LOGREG_NOINLINE int minimize_together(logreg_member *members, int64_t count,
                                             const logreg_run *run)
{
    asking a = open_round(count, run);
    for (;;) {
        for (int64_t k = 0; k < count; k++)
            if (advance(&members[k], &a.run) == LOGREG_STOPPED) return LOGREG_STOPPED;
        const int64_t n = collect(&a, members, count);
        if (n == 0) break;
        if (logreg_evaluate_together(a.trials, n, &a.run) == LOGREG_STOPPED) return LOGREG_STOPPED;
        for (int64_t k = 0; k < n; k++) take(a.members[k], &a.trials[k], &a.run);
    }
    for (int64_t k = 0; k < count; k++)
        members[k].status = logreg_minimizer_ended(members[k].minimizer);
    return LOGREG_OK;
}

int logreg_minimize_together(logreg_member *members, int64_t count, const logreg_run *run)
{
    LOGREG_IN_DEFAULT_MODES(int, minimize_together(members, count, run));
}
