/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads, by one of three backends: OpenMP, macOS's Grand Central Dispatch, or none.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* dl_iterate_phdr */
#elif !defined(_WIN32) && !defined(__APPLE__)
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

#ifdef _WIN32

static void remember_pool(int n_threads)
{
    (void)n_threads;
}

static int startable(int n_threads)
{
    return n_threads;
}

#else

#include <pthread.h>
#include <stdlib.h>

/* libgomp ends the process where it cannot start a thread: a limit on processes, a control group
 * or the address space may forbid it. So threads that its pool does not have yet are started, held
 * and ended first, to see how many there can be. The pool belongs to the calling thread and has as
 * many threads as that thread's last parallel region: a key keeps the number, as thread-local
 * storage would not always find room in a library that is loaded late. */
enum { MOST_THREADS = 1024 };

static pthread_attr_t probe_attributes;
static pthread_key_t pool_key;
static int has_pool_key;

/* With stacks as large as libgomp's. */
static void open_probe(void)
{
    const char *given = getenv("OMP_STACKSIZE");
    if (!given) given = getenv("GOMP_STACKSIZE");
    has_pool_key = pthread_key_create(&pool_key, NULL) == 0;
    pthread_attr_init(&probe_attributes);
    if (!given) return;
    char *unit;
    const size_t number = strtoul(given, &unit, 10);
    while (*unit == ' ' || *unit == '\t') unit++;
    const int letter = *unit | 32;
    const int shift = letter == 'b' ? 0 : letter == 'm' ? 20 : letter == 'g' ? 30 : 10;
    pthread_attr_setstacksize(&probe_attributes, number << shift); /* refuses what libgomp does */
}

static void remember_pool(int n_threads)
{
    if (has_pool_key) pthread_setspecific(pool_key, (void *)(intptr_t)n_threads);
}

static void *wait_at(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many of n_threads can run. One more is tried than libgomp starts, and where not all of them
 * can be, half are taken, to leave room for everything else that needs some. */
static int startable(int n_threads)
{
    pthread_t probes[MOST_THREADS];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int started = 0;
    if (n_threads > MOST_THREADS) n_threads = MOST_THREADS;
    if (has_pool_key && n_threads <= (intptr_t)pthread_getspecific(pool_key)) return n_threads;
    pthread_mutex_lock(&gate);
    while (started < n_threads &&
           pthread_create(&probes[started], &probe_attributes, wait_at, &gate) == 0)
        started++;
    pthread_mutex_unlock(&gate);
    for (int probe = 0; probe < started; probe++) pthread_join(probes[probe], NULL);
    return started == n_threads ? n_threads : started < 2 ? 1 : started / 2;
}

#endif

static void fork_and_join(const job *job)
{
    remember_pool(job->n_threads);
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

/* ---- Grand Central Dispatch, which is part of every Mac ----------------------------------------
 *
 * An OpenMP runtime would have to be shipped there, and could clash with those of other packages.
 */

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

static int startable(int n_threads)
{
    return n_threads;
}

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

static int startable(int n_threads)
{
    return n_threads;
}

static void fork_and_join(const job *job)
{
    (void)job; /* is never asked for: see logreg_threads_for */
}

#endif

/* ---- Forks ----------------------------------------------------------------------------------- */

/* A forked child has the bookkeeping of its parent's threads but not the threads: libgomp, which
 * others may have put to work, would wait for them without end, and Dispatch ends the process. No
 * call tells whether there were threads, so every child that is forked after the kernel is loaded
 * works on one thread. The mark is written at load and by the only thread of a child. */
#if (defined(_OPENMP) && !defined(_WIN32)) || defined(LOGREG_DISPATCH)

#include <pthread.h>

static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int single = 0;

static void mark_child(void)
{
    single = 1;
}

#if defined(_OPENMP) && defined(__linux__)

#include <link.h>
#include <stdio.h>

enum { LIBRARY_OURS = 1, LIBRARY_OPENMP };

static int library_of(struct dl_phdr_info *library, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int k = 0; k < library->dlpi_phnum; k++) {
        const uintptr_t start = library->dlpi_addr + library->dlpi_phdr[k].p_vaddr;
        const uintptr_t length = library->dlpi_phdr[k].p_memsz;
        if (library->dlpi_phdr[k].p_type != PT_LOAD) continue;
        if ((uintptr_t)logreg_threads_open - start < length) return LIBRARY_OURS;
        if ((uintptr_t)omp_get_num_procs - start < length) return LIBRARY_OPENMP;
    }
    return 0;
}

/* Whether this process was forked before the kernel was loaded, as workers are that import late,
 * from one that may have run libgomp's threads. Libraries are listed in the order of their loading.
 */
static int forked_with_openmp(void)
{
    const unsigned int forked_without_exec = 0x40; /* PF_FORKNOEXEC of Linux */
    char line[512];
    unsigned int flags = 0;
    FILE *stat = fopen("/proc/self/stat", "r");
    if (!stat) return 0;
    line[fread(line, 1, sizeof line - 1, stat)] = 0;
    fclose(stat);
    const char *name_end = strrchr(line, ')');
    if (!name_end || sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1) return 0;
    return (flags & forked_without_exec) && dl_iterate_phdr(library_of, NULL) == LIBRARY_OPENMP;
}

#else

static int forked_with_openmp(void)
{
    return 0;
}

#endif

static void open_threads(void)
{
#ifdef _OPENMP
    open_probe();
#endif
    single = pthread_atfork(NULL, NULL, mark_child) != 0 || forked_with_openmp();
}

void logreg_threads_open(void)
{
    pthread_once(&opened, open_threads);
}

#else

#ifdef _OPENMP
enum { single = 0 };
#else
enum { single = 1 };
#endif

void logreg_threads_open(void)
{
}

#endif

/* ---- The calls ------------------------------------------------------------------------------- */

int logreg_threads_for(int64_t n_tasks, int n_threads)
{
    if (single || n_tasks < 1) return 1;
    return n_threads <= n_tasks ? n_threads : (int)n_tasks;
}

int logreg_threads_startable(int n_threads)
{
    return n_threads > 1 ? startable(n_threads) : n_threads;
}

void logreg_parallel_for(int64_t n_tasks, int n_threads,
                         void (*body)(void *context, int64_t task, int thread), void *context)
{
    const job job = {body, context, n_tasks, logreg_threads_for(n_tasks, n_threads)};
    if (job.n_threads > 1) {
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
