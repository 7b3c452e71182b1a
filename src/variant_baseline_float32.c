/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels in float32 for any CPU of this architecture. LOGREG_PLAIN_LANES asks for plain
 * C even where there is a page of vectors, for the tests that compare the two.
 */
#include "portable.h"

#define REAL_BITS 32
#if defined(LOGREG_PLAIN_LANES)
#include "lanes_c.h"
#elif defined(LOGREG_X86_64)
#include "lanes_sse2.h"
#elif defined(__aarch64__)
#include "lanes_neon.h"
#else
#include "lanes_c.h"
#endif

#define LOGREG_VARIANT logreg_kernels_baseline_float32
#include "block_kernels.h"
