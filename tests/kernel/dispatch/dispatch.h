/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The part of Grand Central Dispatch that the kernel uses, implemented with pthreads, so that the
 * Dispatch backend can be tested without a Mac. */
#ifndef DISPATCH_SHIM_H
#define DISPATCH_SHIM_H

#include <stddef.h>

typedef void *dispatch_queue_t;
#define DISPATCH_APPLY_AUTO ((dispatch_queue_t)0)

/* Calls work(context, iteration) for every iteration, on iterations - 1 threads with a stack of
 * 128 KB and on the calling thread. */
void dispatch_apply_f(size_t iterations, dispatch_queue_t queue, void *context,
                      void (*work)(void *context, size_t iteration));

/* Whether to simulate a calling thread that is so late that the others do every iteration. */
extern int dispatch_shim_caller_is_late;

#endif
