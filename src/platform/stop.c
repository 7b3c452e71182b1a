/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cooperative cancellation.
 */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include "platform/stop.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

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

/* One thread writes the flag, the others read it. MSVC's C has no atomics. */
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
    if (logreg_stop_seen(stop)) return 1; /* should_stop is not asked again while the tasks end */
    if (thread != 0 || stop->run->should_stop == NULL) return 0;
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
