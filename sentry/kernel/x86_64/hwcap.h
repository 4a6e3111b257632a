/* What AT_HWCAP says on x86-64. */
#pragma once

#include "sentry/base/types.h"

/* arch_hwcap() - the CPU's own feature word, as Linux passes it on. The C library's getauxval() has
 * replaced it by a value of its own. */
u64 arch_hwcap(void);
