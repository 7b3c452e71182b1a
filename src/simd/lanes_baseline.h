/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The backend that every CPU of this architecture can run. LOGREG_PLAIN_LANES asks for plain C even
 * where there are vectors, for the tests that compare the two.
 */
#include "platform/portable.h"

#if defined(LOGREG_PLAIN_LANES)
#include "simd/lanes_c.h"
#elif defined(LOGREG_X86_64)
#include "simd/lanes_sse2.h"
#elif defined(__aarch64__)
#include "simd/lanes_neon.h"
#else
#include "simd/lanes_c.h"
#endif
