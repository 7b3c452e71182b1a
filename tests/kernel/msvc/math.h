/* SPDX-License-Identifier: BSD-3-Clause
 *
 * This folder has the parts of the Windows headers that the kernel uses, for Clang, which compiles
 * MSVC's C but does not include these headers. */
#ifndef MSVC_MATH_H
#define MSVC_MATH_H

#define INFINITY __builtin_inff()

#endif
