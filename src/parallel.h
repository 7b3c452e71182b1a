/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads, and the clock that asks whether to stop.
 */
#ifndef LOGREG_PARALLEL_H
#define LOGREG_PARALLEL_H

#include "logreg.h"
#include "portable.h"

/* body(context, task, thread) for every task in [0, n_tasks), each once, on at most n_threads
 * threads, 0 <= thread < n_threads; the calling thread is thread 0 and takes its share. Every
 * thread has the default floating-point modes. Returns when all are done. */
void logreg_parallel_for(int64_t n_tasks, int n_threads,
                         void (*body)(void *context, int64_t task, int thread), void *context);

/* How many threads logreg_parallel_for would use of those asked for: one in a forked child. */
int logreg_threads_for(int64_t n_tasks, int n_threads);

/* A stop that the calling thread finds out about and the others obey. */
typedef struct logreg_stop {
    const logreg_run *run;
    int64_t work; /* since the clock was last read */
    uint64_t due; /* when to ask next, ns */
    int stopped;
} logreg_stop;

void logreg_stop_open(logreg_stop *stop, const logreg_run *run);

/* Whether to stop, after `work` elements more. Thread 0 asks; the clock is read every 2^17 elements
 * (some 50 us), and run->should_stop called when 50 ms have passed. */
int logreg_stop_due(logreg_stop *stop, int thread, int64_t work);

/* Whether some call of logreg_stop_due said so. */
int logreg_stop_seen(const logreg_stop *stop);

#endif
