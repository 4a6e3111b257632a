/* What of the architecture the layers above the platform see. */
#pragma once

#if defined(__x86_64__)
#include "platform/x86_64/regs.h"
#else
#error "no port to this architecture: add platform/<arch>/regs.h"
#endif
