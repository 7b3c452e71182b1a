/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cooperative cancellation.
 */
#ifndef LOGREG_STOP_H
#define LOGREG_STOP_H

#include "logreg.h"

/* Thread 0, the caller's, asks should_stop; the others read the flag. */
typedef struct logreg_stop {
    const logreg_run *run;
    int64_t work; /* elements since the clock was last read */
    uint64_t due; /* when to ask next, ns */
    int stopped;
} logreg_stop;

void logreg_stop_open(logreg_stop *stop, const logreg_run *run);

/* Whether to stop, after `work` more elements. In thread 0 the clock is read every 2^17 elements
 * (some 50 us), and run->should_stop is called when 50 ms have passed. */
int logreg_stop_due(logreg_stop *stop, int thread, int64_t work);

/* Whether a call of logreg_stop_due has returned 1. */
int logreg_stop_seen(const logreg_stop *stop);

#endif
