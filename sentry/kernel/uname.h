/* What uname(2) and /proc/version say of this kernel. */
#pragma once

#define UNAME_SYSNAME "Linux"
#define UNAME_VERSION "#1 SMP Sun Jan 10 15:06:54 PST 2016"
#if defined(__x86_64__)
#define UNAME_MACHINE "x86_64"
#elif defined(__aarch64__)
#define UNAME_MACHINE "aarch64"
#endif
