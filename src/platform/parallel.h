/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads.
 */
#ifndef LOGREG_PARALLEL_H
#define LOGREG_PARALLEL_H

#include "platform/portable.h"

/* body(context, task, thread) for every task in [0, n_tasks), each once, on at most n_threads
 * threads, 0 <= thread < n_threads; the calling thread is thread 0 and takes its share. Every
 * thread has the default floating-point modes. Returns when all are done. */
void logreg_parallel_for(int64_t n_tasks, int n_threads,
                         void (*body)(void *context, int64_t task, int thread), void *context);

/* How many threads logreg_parallel_for would use of those asked for: one in a forked child. */
int logreg_threads_for(int64_t n_tasks, int n_threads);

/* How many of them the system lets run at present; to be asked before the first of many loops. */
int logreg_threads_startable(int n_threads);

#endif
