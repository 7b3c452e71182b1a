/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads by OpenMP, or none, and the clock that asks whether to stop.
 */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include "parallel.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#ifndef _WIN32
#include <pthread.h>
#endif
#endif

#if defined(_OPENMP) && !defined(_WIN32)

/* A child that is forked after libgomp has made its threads has the pool's bookkeeping but not the
 * threads, and would wait for them for ever. So from our first parallel region on, children are
 * marked, and work on one thread. The mark is written once, by the only thread of the child. */
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;
static int forked = 0;

static void mark_child(void)
{
    forked = 1;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, mark_child);
}

#endif

int logreg_threads_for(int64_t n_tasks, int n_threads)
{
#ifdef _OPENMP
#ifndef _WIN32
    if (forked) return 1;
#endif
    return n_threads <= n_tasks ? n_threads : n_tasks < 1 ? 1 : (int)n_tasks;
#else
    (void)n_tasks;
    (void)n_threads;
    return 1;
#endif
}

void logreg_parallel_for(int64_t n_tasks, int n_threads,
                         void (*body)(void *context, int64_t task, int thread), void *context)
{
    n_threads = logreg_threads_for(n_tasks, n_threads);
    if (n_threads == 1) {
        const logreg_fp_modes found = logreg_fp_default();
        for (int64_t task = 0; task < n_tasks; task++) body(context, task, 0);
        logreg_fp_restore(found);
        return;
    }
#ifdef _OPENMP
#ifndef _WIN32
    pthread_once(&fork_watch, watch_forks);
#endif
#pragma omp parallel num_threads(n_threads)
    {
        const logreg_fp_modes found = logreg_fp_default();
        const int thread = omp_get_thread_num();
        int64_t task;
#pragma omp for schedule(dynamic, 1)
        for (task = 0; task < n_tasks; task++) body(context, task, thread);
        logreg_fp_restore(found);
    }
#endif
}

const char *logreg_threads_backend(void)
{
#ifdef _OPENMP
    return "openmp";
#else
    return "serial";
#endif
}

int logreg_max_threads(void)
{
#ifdef _OPENMP
    return logreg_threads_for(INT64_MAX, omp_get_max_threads());
#else
    return 1;
#endif
}

/* ---- Stopping -------------------------------------------------------------------------------- */

static uint64_t now(void)
{
#ifdef _WIN32
    return (uint64_t)GetTickCount64() * 1000000u;
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

/* One thread writes the flag, the others read it: C11 atomics where MSVC's C has none. */
#ifdef __GNUC__
#define READ_FLAG(flag) __atomic_load_n(&(flag), __ATOMIC_RELAXED)
#define WRITE_FLAG(flag, value) __atomic_store_n(&(flag), value, __ATOMIC_RELAXED)
#else
#define READ_FLAG(flag) (*(const volatile int *)&(flag))
#define WRITE_FLAG(flag, value) (*(volatile int *)&(flag) = (value))
#endif

enum { ASK_EVERY_NS = 50000000, CLOCK_EVERY_ELEMENTS = 1 << 17 };

void logreg_stop_open(logreg_stop *stop, const logreg_run *run)
{
    stop->run = run;
    stop->work = 0;
    stop->due = run->should_stop ? now() + ASK_EVERY_NS : 0;
    stop->stopped = 0;
}

int logreg_stop_due(logreg_stop *stop, int thread, int64_t work)
{
    if (thread != 0 || stop->run->should_stop == NULL) return logreg_stop_seen(stop);
    stop->work += work;
    if (stop->work >= CLOCK_EVERY_ELEMENTS) {
        stop->work = 0;
        const uint64_t time = now();
        if (time >= stop->due) {
            stop->due = time + ASK_EVERY_NS;
            if (stop->run->should_stop(stop->run->context)) WRITE_FLAG(stop->stopped, 1);
        }
    }
    return logreg_stop_seen(stop);
}

int logreg_stop_seen(const logreg_stop *stop)
{
    return READ_FLAG(stop->stopped);
}
