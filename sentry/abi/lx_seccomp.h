/* Guest ABI: seccomp(2) and the classic BPF that its filters are written in (linux/filter.h). */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_SECCOMP_SET_MODE_STRICT,
    LX_SECCOMP_SET_MODE_FILTER,
    LX_SECCOMP_GET_ACTION_AVAIL,
    LX_SECCOMP_GET_NOTIF_SIZES,
};

enum { LX_SECCOMP_MODE_DISABLED, LX_SECCOMP_MODE_STRICT, LX_SECCOMP_MODE_FILTER };

#define LX_SECCOMP_FILTER_TSYNC        1u
#define LX_SECCOMP_FILTER_LOG          2u
#define LX_SECCOMP_FILTER_SPEC_ALLOW   4u
#define LX_SECCOMP_FILTER_NEW_LISTENER 8u
#define LX_SECCOMP_FILTER_TSYNC_ESRCH  16u

#define LX_SECCOMP_RET_KILL_PROCESS 0x80000000u
#define LX_SECCOMP_RET_KILL_THREAD  0x00000000u
#define LX_SECCOMP_RET_TRAP         0x00030000u
#define LX_SECCOMP_RET_ERRNO        0x00050000u
#define LX_SECCOMP_RET_USER_NOTIF   0x7fc00000u
#define LX_SECCOMP_RET_TRACE        0x7ff00000u
#define LX_SECCOMP_RET_LOG          0x7ffc0000u
#define LX_SECCOMP_RET_ALLOW        0x7fff0000u
#define LX_SECCOMP_RET_ACTION       0xffff0000u
#define LX_SECCOMP_RET_DATA         0x0000ffffu

#define LX_SYS_SECCOMP       1
#define LX_SYS_USER_DISPATCH 2

struct lx_seccomp_data {
    s32 nr;
    u32 arch;
    u64 ip;
    u64 args[6];
};
_Static_assert(sizeof(struct lx_seccomp_data) == 64, "struct seccomp_data");

struct lx_sock_filter {
    u16 code;
    u8 jt, jf;
    u32 k;
};

struct lx_sock_fprog {
    u16 len, pad[3];
    u64 filter; /* guest pointer */
};

/* Instruction codes: class, then size and mode, operation, or source. */
enum {
    LX_BPF_LD,
    LX_BPF_LDX,
    LX_BPF_ST,
    LX_BPF_STX,
    LX_BPF_ALU,
    LX_BPF_JMP,
    LX_BPF_RET,
    LX_BPF_MISC,

    LX_BPF_W = 0x00,
    LX_BPF_IMM = 0x00,
    LX_BPF_ABS = 0x20,
    LX_BPF_MEM = 0x60,
    LX_BPF_LEN = 0x80,

    LX_BPF_ADD = 0x00,
    LX_BPF_SUB = 0x10,
    LX_BPF_MUL = 0x20,
    LX_BPF_DIV = 0x30,
    LX_BPF_OR = 0x40,
    LX_BPF_AND = 0x50,
    LX_BPF_LSH = 0x60,
    LX_BPF_RSH = 0x70,
    LX_BPF_NEG = 0x80,
    LX_BPF_XOR = 0xa0,

    LX_BPF_JA = 0x00,
    LX_BPF_JEQ = 0x10,
    LX_BPF_JGT = 0x20,
    LX_BPF_JGE = 0x30,
    LX_BPF_JSET = 0x40,

    LX_BPF_K = 0x00,
    LX_BPF_X = 0x08,
    LX_BPF_A = 0x10,
    LX_BPF_TAX = 0x00,
    LX_BPF_TXA = 0x80,
};
#define LX_BPF_MEMWORDS 16u
