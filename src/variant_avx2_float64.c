/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels in float64 for x86-64 CPUs with AVX2 and F16C. The file raises its own target,
 * since compiler flags are those of the whole extension: nothing else may use what not every CPU
 * has. FMA is left out on purpose: it rounds once where the other variants round twice.
 */
#include "portable.h"

#ifdef LOGREG_X86_64

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx2,f16c")
#endif

#define REAL_BITS 64
#define LOGREG_VARIANT logreg_kernels_avx2_float64
#include "lanes_avx2.h"

#include "block_kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
