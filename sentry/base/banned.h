/*
 * Names that this tree does without. The build includes this file before everything else, so a use is a compile error.
 *
 * The libc headers that declare or wrap the names come first: poison applies to what is read after it. Each name has
 * a better one: strcpy, strcat, strncpy, stpcpy -> a bounded buffer of sentry/base; sprintf -> snprintf; strtok ->
 * strsep on a copy, or a cursor; ato* -> strtol with its end checked; gets, mktemp, tmpnam -> none; alloca -> the heap.
 * Code that has no libc says -DHOUSE_NO_BAN (meson: freestanding_args).
 */
#ifndef SENTRY_BASE_BANNED_H
#define SENTRY_BASE_BANNED_H

#if !defined(__ASSEMBLER__) && !defined(HOUSE_NO_BAN)

/* clang-format off */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
/* clang-format on */

/* Where the compiler lacks variadic inlines, fortified libc headers make macros of some of them. */
#undef sprintf
#undef vsprintf
#undef alloca

#pragma GCC poison strcpy strcat strncpy strncat stpcpy stpncpy
#pragma GCC poison sprintf vsprintf gets
#pragma GCC poison strtok strtok_r
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison alloca
/* Not ctime: stat's field is called so. */
#pragma GCC poison tmpnam tempnam mktemp asctime asctime_r ctime_r

#endif
#endif
