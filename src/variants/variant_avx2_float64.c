/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The block kernels in float64 over the avx2 backend.
 */
#include "platform/portable.h"

#ifdef LOGREG_X86_64

#define REAL_BITS 64
#define LOGREG_VARIANT logreg_kernels_avx2_float64

#include "simd/begin_avx2.h"
#include "simd/lanes_avx2.h"

#include "block/block_kernels.h"
#include "simd/end_target.h"

#endif
