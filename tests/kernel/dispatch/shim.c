/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L

#include <dispatch/dispatch.h>

#include <pthread.h>
#include <stdlib.h>

/* Without optimization, frames are larger than usual. */
#ifdef __OPTIMIZE__
enum { STACK = 128 << 10 };
#else
enum { STACK = 1 << 20 };
#endif
enum { MOST_THREADS = 64 };

int dispatch_shim_caller_is_late = 0;

typedef struct apply {
    size_t iterations, next;
    void *context;
    void (*work)(void *context, size_t iteration);
} apply;

static void *run(void *context)
{
    apply *apply = context;
    for (;;) {
        const size_t iteration = __atomic_fetch_add(&apply->next, 1, __ATOMIC_RELAXED);
        if (iteration >= apply->iterations) return NULL;
        apply->work(apply->context, iteration);
    }
}

void dispatch_apply_f(size_t iterations, dispatch_queue_t queue, void *context,
                      void (*work)(void *context, size_t iteration))
{
    apply apply = {iterations, 0, context, work};
    pthread_t threads[MOST_THREADS];
    pthread_attr_t attributes;
    size_t others = 0;
    (void)queue;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    while (others + 1 < iterations && others < MOST_THREADS &&
           pthread_create(&threads[others], &attributes, run, &apply) == 0)
        others++;
    pthread_attr_destroy(&attributes);
    if (others + 1 < iterations && others < MOST_THREADS) abort();
    if (!dispatch_shim_caller_is_late) run(&apply);
    for (size_t t = 0; t < others; t++) pthread_join(threads[t], NULL);
}
