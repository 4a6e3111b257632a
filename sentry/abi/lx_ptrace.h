/* Guest ABI: ptrace(2) (linux/ptrace.h, asm/ptrace-abi.h). */
#pragma once

#include "sentry/base/types.h"

#define LX_PTRACE_TRACEME           0
#define LX_PTRACE_PEEKTEXT          1
#define LX_PTRACE_PEEKDATA          2
#define LX_PTRACE_PEEKUSR           3
#define LX_PTRACE_POKETEXT          4
#define LX_PTRACE_POKEDATA          5
#define LX_PTRACE_POKEUSR           6
#define LX_PTRACE_CONT              7
#define LX_PTRACE_KILL              8
#define LX_PTRACE_SINGLESTEP        9
#define LX_PTRACE_GETREGS           12
#define LX_PTRACE_SETREGS           13
#define LX_PTRACE_GETFPREGS         14
#define LX_PTRACE_SETFPREGS         15
#define LX_PTRACE_ATTACH            16
#define LX_PTRACE_DETACH            17
#define LX_PTRACE_SYSCALL           24
#define LX_PTRACE_ARCH_PRCTL        30
#define LX_PTRACE_SYSEMU            31
#define LX_PTRACE_SYSEMU_SINGLESTEP 32
#define LX_PTRACE_SETOPTIONS        0x4200
#define LX_PTRACE_GETEVENTMSG       0x4201
#define LX_PTRACE_GETSIGINFO        0x4202
#define LX_PTRACE_SETSIGINFO        0x4203
#define LX_PTRACE_GETREGSET         0x4204
#define LX_PTRACE_SETREGSET         0x4205
#define LX_PTRACE_SEIZE             0x4206
#define LX_PTRACE_INTERRUPT         0x4207
#define LX_PTRACE_LISTEN            0x4208
#define LX_PTRACE_PEEKSIGINFO       0x4209
#define LX_PTRACE_GETSIGMASK        0x420a
#define LX_PTRACE_SETSIGMASK        0x420b
#define LX_PTRACE_GET_SYSCALL_INFO  0x420e

#define LX_PTRACE_EVENT_FORK       1u
#define LX_PTRACE_EVENT_VFORK      2u
#define LX_PTRACE_EVENT_CLONE      3u
#define LX_PTRACE_EVENT_EXEC       4u
#define LX_PTRACE_EVENT_VFORK_DONE 5u
#define LX_PTRACE_EVENT_EXIT       6u
#define LX_PTRACE_EVENT_SECCOMP    7u
#define LX_PTRACE_EVENT_STOP       128u

/* The option of an event is 1 << event. */
#define LX_PTRACE_O_TRACESYSGOOD 0x00000001u
#define LX_PTRACE_O_TRACEEXEC    0x00000010u
#define LX_PTRACE_O_EXITKILL     0x00100000u
#define LX_PTRACE_O_MASK         0x001000ffu /* without SUSPEND_SECCOMP */

#define LX_PTRACE_EVENTMSG_SYSCALL_ENTRY 1u
#define LX_PTRACE_EVENTMSG_SYSCALL_EXIT  2u

#define LX_PTRACE_PEEKSIGINFO_SHARED 1u

struct lx_ptrace_peeksiginfo_args {
    u64 off;
    u32 flags;
    s32 nr;
};

enum {
    LX_PTRACE_SYSCALL_INFO_NONE,
    LX_PTRACE_SYSCALL_INFO_ENTRY,
    LX_PTRACE_SYSCALL_INFO_EXIT,
    LX_PTRACE_SYSCALL_INFO_SECCOMP
};

struct lx_ptrace_syscall_info {
    u8 op, pad[3];
    u32 arch;
    u64 instruction_pointer, stack_pointer;
    union {
        struct {
            u64 nr, args[6];
            u32 ret_data; /* SECCOMP only */
        } entry;
        struct {
            s64 rval;
            u8 is_error;
        } exit;
    };
};
_Static_assert(sizeof(struct lx_ptrace_syscall_info) == 88, "struct ptrace_syscall_info");

/* struct user (sys/user.h): what PEEKUSR and POKEUSR address. */
#define LX_USER_SIZE     928u /* with two words that the C library does not know */
#define LX_USER_DEBUGREG 848u

/* Register sets of GETREGSET, as notes of a core file are named (elf.h). */
#define LX_NT_PRSTATUS   1u
#define LX_NT_PRFPREG    2u
#define LX_NT_X86_XSTATE 0x202u
