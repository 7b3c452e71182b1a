/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MSVC_WINDOWS_H
#define MSVC_WINDOWS_H

unsigned long long GetTickCount64(void);

#endif
