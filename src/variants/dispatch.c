/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which compiled variant of the block kernels this CPU gets.
 */
#include "block/kernels.h"

#ifdef LOGREG_X86_64
#ifdef __GNUC__
#include <cpuid.h>
#else
#include <immintrin.h>
#include <intrin.h>
#endif
#endif

static int always(void)
{
    return 1;
}

#ifdef LOGREG_X86_64
/* Three conditions each: the CPU has AVX, it has the instruction sets, and the operating system
 * saves the registers (bits 1 and 2 of XCR0, and for AVX-512 bits 5 to 7). The builtin of GCC and
 * clang checks all three. AVX-512 counts only from VBMI2 on (Ice Lake, Zen 4), because earlier CPUs
 * lower their clock for its vectors, and never on a Mac, whose kernel enables it on first use. */
#ifdef __GNUC__

static int has_avx2(void)
{
    unsigned int eax, ebx, ecx, edx; /* clang's builtin lacks F16C */
    return __builtin_cpu_supports("avx2") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
           (ecx & bit_F16C) != 0;
}

static int has_avx512(void)
{
#ifdef __APPLE__
    return 0;
#else
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vbmi2");
#endif
}

#else

static int has(int leaf_7_ebx, int leaf_7_ecx, unsigned int xcr0)
{
    enum { OSXSAVE = 1 << 27, AVX = 1 << 28, F16C = 1 << 29, NEEDED = OSXSAVE | AVX | F16C };
    int r[4];
    __cpuid(r, 0);
    if (r[0] < 7) return 0;
    __cpuid(r, 1);
    if ((r[2] & NEEDED) != NEEDED || (_xgetbv(0) & xcr0) != xcr0) return 0;
    __cpuidex(r, 7, 0);
    return (r[1] & leaf_7_ebx) == leaf_7_ebx && (r[2] & leaf_7_ecx) == leaf_7_ecx;
}

static int has_avx2(void)
{
    return has(1 << 5, 0, 0x06);
}

static int has_avx512(void)
{
    return has(1 << 5 | 1 << 16 | 1 << 17, 1 << 6, 0xe6);
}

#endif

static int is_amd(void)
{
#ifdef __GNUC__
    return __builtin_cpu_is("amd");
#else
    int r[4];
    __cpuid(r, 0);
    return r[1] == 0x68747541; /* the first letters of AuthenticAMD */
#endif
}

/* 0 where it is not told. */
static int64_t l2_size(void)
{
#ifdef __GNUC__
    unsigned int eax, ebx, ecx, edx;
    if (!__get_cpuid(0x80000006, &eax, &ebx, &ecx, &edx)) return 0;
    return (int64_t)(ecx >> 16) << 10;
#else
    int r[4];
    __cpuid(r, (int)0x80000000);
    if ((unsigned int)r[0] < 0x80000006) return 0;
    __cpuid(r, (int)0x80000006);
    return (int64_t)((unsigned int)r[2] >> 16) << 10;
#endif
}

#endif

static const struct {
    const char *name;
    const logreg_kernels *float64, *float32;
    int (*supported)(void);
} variants[] = {
    {"baseline", &logreg_kernels_baseline_float64, &logreg_kernels_baseline_float32, always},
#ifdef LOGREG_X86_64
    {"avx2", &logreg_kernels_avx2_float64, &logreg_kernels_avx2_float32, has_avx2},
    {"avx512", &logreg_kernels_avx512_float64, &logreg_kernels_avx512_float32, has_avx512},
#endif
};

static int in_use = 0, collide = 1;
static int64_t l2_bytes = 1 << 20;

int logreg_isa_count(void)
{
    return (int)(sizeof variants / sizeof *variants);
}

const char *logreg_isa_name(int index)
{
    return variants[index].name;
}

int logreg_isa_supported(int index)
{
    return variants[index].supported();
}

int logreg_isa_select(const char *name)
{
    const int best = name == NULL || *name == '\0';
    for (int i = logreg_isa_count() - 1; i >= 0; i--) {
        if (!best && strcmp(name, variants[i].name) != 0) continue;
        if (variants[i].supported()) {
            in_use = i;
#ifdef LOGREG_X86_64
            collide = variants[i].supported == always || !is_amd();
            if (l2_size() > 0) l2_bytes = l2_size();
#endif
            return 0;
        }
        if (!best) return -2;
    }
    return -1;
}

const char *logreg_isa(void)
{
    return variants[in_use].name;
}

const logreg_kernels *logreg_kernels_in_use(logreg_type arithmetic)
{
    return arithmetic == LOGREG_FLOAT32 ? variants[in_use].float32 : variants[in_use].float64;
}

int logreg_columns_collide(void)
{
    return collide;
}

int64_t logreg_l2_bytes(void)
{
    return l2_bytes;
}
