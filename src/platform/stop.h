/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The clock that asks whether to stop.
 */
#ifndef LOGREG_STOP_H
#define LOGREG_STOP_H

#include "logreg.h"

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
