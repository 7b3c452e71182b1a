/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels in float32 for x86-64 CPUs with AVX-512F and DQ. The file raises its own
 * target, since compiler flags are those of the whole extension: nothing else may use what not
 * every CPU has. AVX-512F has FMA: that it is not used is up to -ffp-contract=off.
 */
#include "portable.h"

#ifdef LOGREG_X86_64

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,f16c"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx512f,avx512dq,f16c")
#endif

#define REAL_BITS 32
#define LOGREG_VARIANT logreg_kernels_avx512_float32
#include "lanes_avx512.h"

#include "block_kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
