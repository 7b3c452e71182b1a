/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What differs between compilers and CPUs outside the lanes: inlining, prefetching, the bits of a
 * double, the square root, float16, and the floating-point modes of a thread.
 */
#ifndef LOGREG_PORTABLE_H
#define LOGREG_PORTABLE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define LOGREG_X86_64 1
#include <emmintrin.h>
#elif !defined(__aarch64__)
#include <fenv.h>
#endif

#if defined(__GNUC__)
#define LOGREG_INLINE static inline __attribute__((always_inline, unused))
#define LOGREG_NOINLINE __attribute__((noinline))
#define LOGREG_OPAQUE(pointer) __asm__("" : "+r"(pointer))
#define LOGREG_PREFETCH_LINE(address) __builtin_prefetch((const void *)(address), 0, 2)
#elif defined(_MSC_VER)
#pragma fp_contract(off) /* /fp:precise implies it only from Visual Studio 2022 on */
#define LOGREG_INLINE static __forceinline
#define LOGREG_NOINLINE __declspec(noinline)
#define LOGREG_OPAQUE(pointer) ((void)(pointer))
#ifdef LOGREG_X86_64
#define LOGREG_PREFETCH_LINE(address) _mm_prefetch((const char *)(address), _MM_HINT_T1)
#else
#define LOGREG_PREFETCH_LINE(address) ((void)(address))
#endif
#else
#define LOGREG_INLINE static inline
#define LOGREG_NOINLINE
#define LOGREG_OPAQUE(pointer) ((void)(pointer))
#define LOGREG_PREFETCH_LINE(address) ((void)(address))
#endif

/* Before a short loop of a constant number of turns: unrolled, its arrays of lanes stay in
 * registers. Eight is the most turns that such a loop has (ROWS_BACKWARD). */
#if defined(__clang__)
#define LOGREG_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define LOGREG_UNROLL _Pragma("GCC unroll 8")
#else
#define LOGREG_UNROLL
#endif

/* LOGREG_OPAQUE(pointer) hides from the compiler where a pointer points. */

/* Prefetches the line that lies `ahead` bytes beyond x into L2. That may be beyond the array: an
 * address that is only prefetched need not exist, but a pointer must, so this one is a number. */
#define LOGREG_PREFETCH(x, ahead) LOGREG_PREFETCH_LINE((uintptr_t)(x) + (uintptr_t)(ahead))

LOGREG_INLINE uint64_t logreg_bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

LOGREG_INLINE double logreg_double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The C library's may round twice: MinGW's does, on the x87. */
LOGREG_INLINE double logreg_sqrt(double value)
{
#ifdef LOGREG_X86_64
    const __m128d lanes = _mm_set_sd(value);
    return _mm_cvtsd_f64(_mm_sqrt_sd(lanes, lanes));
#else
    return sqrt(value);
#endif
}

/* IEEE 754 half precision, which C11 has no type for. */
typedef struct logreg_float16 {
    uint16_t bits;
} logreg_float16;

/* Exact: exponent and fraction move to where float32 has them, and 2^112 makes up for the bias and
 * turns subnormals into normal numbers. The exponent of infinities and NaNs is filled with ones. */
LOGREG_INLINE float logreg_float_of(logreg_float16 h)
{
    const uint32_t sign = (uint32_t)(h.bits & 0x8000) << 16, size = (uint32_t)(h.bits & 0x7fff);
    uint32_t bits = size << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    bits |= sign | (size >= 0x7c00 ? 0x7f800000 : 0);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The rounding direction and the treatment of subnormals belong to a thread. Each thread sets the
 * default (to nearest, no flush to zero) and restores what it found, so that neither our bits nor
 * the caller's depend on the other. */
#if defined(LOGREG_X86_64)

typedef unsigned int logreg_fp_modes;

LOGREG_INLINE logreg_fp_modes logreg_fp_default(void)
{
    const logreg_fp_modes found = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return found;
}

LOGREG_INLINE void logreg_fp_restore(logreg_fp_modes found)
{
    _mm_setcsr(found);
}

#elif defined(__aarch64__)

typedef uint64_t logreg_fp_modes;

LOGREG_INLINE logreg_fp_modes logreg_fp_default(void)
{
    logreg_fp_modes found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return found;
}

LOGREG_INLINE void logreg_fp_restore(logreg_fp_modes found)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(found));
}

#else

typedef fenv_t logreg_fp_modes;

LOGREG_INLINE logreg_fp_modes logreg_fp_default(void)
{
    logreg_fp_modes found;
    fegetenv(&found);
    fesetenv(FE_DFL_ENV);
    return found;
}

LOGREG_INLINE void logreg_fp_restore(logreg_fp_modes found)
{
    fesetenv(&found);
}

#endif

/* Returns the value of a call, made in the default modes. To the compiler the modes are no input of
 * arithmetic, which it may move across the line that sets them: so what is called must not be
 * inlined, and is a LOGREG_NOINLINE function. */
#define LOGREG_IN_DEFAULT_MODES(type, call)                                                        \
    do {                                                                                           \
        const logreg_fp_modes found_modes = logreg_fp_default();                                   \
        const type result = call;                                                                  \
        logreg_fp_restore(found_modes);                                                            \
        return result;                                                                             \
    } while (0)

#endif
