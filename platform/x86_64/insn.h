/* What an instruction does with memory, as far as a page fault's error code asks. */
#pragma once

#include "platform/x86_64/regs.h"

#define INSN_BYTES_MAX 15

/* insn_writes() - was the access of the instruction `code` (len bytes of it) to `addr` a write?
 * Unknown instructions count as reads. */
bool insn_writes(const u8 *code, u32 len, const struct arch_regs *r, u64 addr);
