/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An allocator for LD_PRELOAD that fails on request, and counts the live blocks of 1 KB and more.
 * It takes precedence over glibc's, so it sees the memory of Python (under PYTHONMALLOC=malloc),
 * NumPy and the kernel. The kernel's workspaces are such blocks; the small objects that Python
 * keeps are not.
 */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

long fail_malloc_countdown = 0; /* the allocation that takes it from 1 to 0 fails; 0: none fails */
long fail_malloc_live = 0;

static int fails(void)
{
    if (fail_malloc_countdown == 0 || --fail_malloc_countdown != 0) return 0;
    errno = ENOMEM;
    return 1;
}

static int is_large(void *memory)
{
    return memory != NULL && malloc_usable_size(memory) >= 1024;
}

static void *counted(void *memory)
{
    if (is_large(memory)) __atomic_fetch_add(&fail_malloc_live, 1, __ATOMIC_RELAXED);
    return memory;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (fails()) return NULL;
    const int was_large = is_large(old);
    void *memory = __libc_realloc(old, size);
    if (was_large && (memory || size == 0))
        __atomic_fetch_sub(&fail_malloc_live, 1, __ATOMIC_RELAXED);
    return counted(memory);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
    if (is_large(memory)) __atomic_fetch_sub(&fail_malloc_live, 1, __ATOMIC_RELAXED);
    __libc_free(memory);
}
