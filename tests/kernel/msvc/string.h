/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MSVC_STRING_H
#define MSVC_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int strcmp(const char *a, const char *b);

#endif
