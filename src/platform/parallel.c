/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads, by one of three backends: OpenMP, macOS's Grand Central Dispatch, or none.
 */
#if !defined(_WIN32) && !defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#endif

#include "platform/parallel.h"
#include "logreg.h"

typedef struct job {
    void (*body)(void *context, int64_t task, int thread);
    void *context;
    int64_t n_tasks;
    int n_threads;
} job;

/* ---- OpenMP: libgomp, and Microsoft's, which knows version 2.0 and no more ------------------- */

#if defined(_OPENMP)

#include <omp.h>

static const char backend[] = "openmp";

static int backend_threads(void)
{
    return omp_get_max_threads();
}

static void fork_and_join(const job *job)
{
#pragma omp parallel num_threads(job->n_threads)
    {
        const logreg_fp_modes found = logreg_fp_default();
        const int thread = omp_get_thread_num();
        int64_t task;
#pragma omp for schedule(dynamic, 1)
        for (task = 0; task < job->n_tasks; task++) job->body(job->context, task, thread);
        logreg_fp_restore(found);
    }
}

/* ---- Grand Central Dispatch: part of every Mac, so that no OpenMP runtime has to be shipped
 * there, to meet those that other packages ship
 * --------------------------------------------------------- */

#elif defined(LOGREG_DISPATCH)

#include <dispatch/dispatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static const char backend[] = "dispatch";

/* Dispatch has no setting of its own, so OMP_NUM_THREADS counts here too. */
static int backend_threads(void)
{
    const char *wanted = getenv("OMP_NUM_THREADS");
    const long given = wanted ? strtol(wanted, NULL, 10) : 0;
    const long n = given > 0 ? given : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
}

typedef struct team {
    const job *job;
    pthread_t caller;
    int others;   /* threads that have joined, but for the caller */
    int64_t next; /* task */
} team;

/* Every thread that Dispatch sends does tasks until there are no more. It may send one again that
 * has done so, and that may be one more than asked for: there is nothing left for it to do. */
static void work(void *context, size_t iteration)
{
    team *team = context;
    const job *job = team->job;
    int thread = 0;
    (void)iteration;
    if (!pthread_equal(pthread_self(), team->caller))
        thread = __atomic_add_fetch(&team->others, 1, __ATOMIC_RELAXED);
    if (thread >= job->n_threads) return;
    const logreg_fp_modes found = logreg_fp_default();
    for (;;) {
        const int64_t task = __atomic_fetch_add(&team->next, 1, __ATOMIC_RELAXED);
        if (task >= job->n_tasks) break;
        job->body(job->context, task, thread);
    }
    logreg_fp_restore(found);
}

static void fork_and_join(const job *job)
{
    team team = {job, pthread_self(), 0, 0};
    dispatch_apply_f((size_t)job->n_threads, DISPATCH_APPLY_AUTO, &team, work);
}

/* ---- None ------------------------------------------------------------------------------------ */

#else

static const char backend[] = "serial";

static int backend_threads(void)
{
    return 1;
}

static void fork_and_join(const job *job)
{
    (void)job; /* is never asked for: see logreg_threads_for */
}

#endif

/* ---- Forks ----------------------------------------------------------------------------------- */

/* A forked child has the bookkeeping of its parent's threads but not the threads: libgomp would
 * wait for them for ever, and Dispatch ends the process. So children are marked, and work on one
 * thread. The mark is written once, by the only thread of the child. */
#if (defined(_OPENMP) && !defined(_WIN32)) || defined(LOGREG_DISPATCH)

#include <pthread.h>

static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;
static int single = 0;

static void mark_child(void)
{
    single = 1;
}

static void register_mark(void)
{
    pthread_atfork(NULL, NULL, mark_child);
}

static void watch_forks(void)
{
    pthread_once(&fork_watch, register_mark);
}

#else

#ifdef _OPENMP
enum { single = 0 };
#else
enum { single = 1 };
#endif

static void watch_forks(void)
{
}

#endif

/* ---- The calls ------------------------------------------------------------------------------- */

void logreg_threads_open(void)
{
#ifdef LOGREG_DISPATCH
    watch_forks();
#endif
}

int logreg_threads_for(int64_t n_tasks, int n_threads)
{
    if (single || n_tasks < 1) return 1;
    return n_threads <= n_tasks ? n_threads : (int)n_tasks;
}

void logreg_parallel_for(int64_t n_tasks, int n_threads,
                         void (*body)(void *context, int64_t task, int thread), void *context)
{
    const job job = {body, context, n_tasks, logreg_threads_for(n_tasks, n_threads)};
    if (job.n_threads > 1) {
        watch_forks();
        fork_and_join(&job);
        return;
    }
    const logreg_fp_modes found = logreg_fp_default();
    for (int64_t task = 0; task < n_tasks; task++) body(context, task, 0);
    logreg_fp_restore(found);
}

const char *logreg_threads_backend(void)
{
    return backend;
}

int logreg_max_threads(void)
{
    return logreg_threads_for(INT64_MAX, backend_threads());
}
