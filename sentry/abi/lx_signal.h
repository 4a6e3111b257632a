/* Guest ABI: signals on x86-64 (asm/signal.h, asm-generic/siginfo.h, asm/sigcontext.h). */
#pragma once

#include "sentry/base/types.h"

#define LX_NSIG 64

enum {
    LX_SIGHUP = 1,
    LX_SIGINT = 2,
    LX_SIGQUIT = 3,
    LX_SIGILL = 4,
    LX_SIGTRAP = 5,
    LX_SIGABRT = 6,
    LX_SIGBUS = 7,
    LX_SIGFPE = 8,
    LX_SIGKILL = 9,
    LX_SIGUSR1 = 10,
    LX_SIGSEGV = 11,
    LX_SIGUSR2 = 12,
    LX_SIGPIPE = 13,
    LX_SIGALRM = 14,
    LX_SIGTERM = 15,
    LX_SIGSTKFLT = 16,
    LX_SIGCHLD = 17,
    LX_SIGCONT = 18,
    LX_SIGSTOP = 19,
    LX_SIGTSTP = 20,
    LX_SIGTTIN = 21,
    LX_SIGTTOU = 22,
    LX_SIGURG = 23,
    LX_SIGXCPU = 24,
    LX_SIGXFSZ = 25,
    LX_SIGVTALRM = 26,
    LX_SIGPROF = 27,
    LX_SIGWINCH = 28,
    LX_SIGIO = 29,
    LX_SIGPWR = 30,
    LX_SIGSYS = 31,
    LX_SIGRTMIN = 32,
};

#define LX_SIG_DFL 0ull
#define LX_SIG_IGN 1ull

#define LX_SA_NOCLDSTOP 0x00000001ull
#define LX_SA_NOCLDWAIT 0x00000002ull
#define LX_SA_SIGINFO 0x00000004ull
#define LX_SA_RESTORER 0x04000000ull
#define LX_SA_ONSTACK 0x08000000ull
#define LX_SA_RESTART 0x10000000ull
#define LX_SA_NODEFER 0x40000000ull
#define LX_SA_RESETHAND 0x80000000ull

#define LX_SS_ONSTACK 1
#define LX_SS_DISABLE 2
#define LX_SS_AUTODISARM (1u << 31)
#define LX_MINSIGSTKSZ 2048

#define LX_SIG_BLOCK 0
#define LX_SIG_UNBLOCK 1
#define LX_SIG_SETMASK 2

#define LX_SI_USER 0
#define LX_SI_KERNEL 0x80
#define LX_SI_QUEUE (-1)
#define LX_SI_TIMER (-2)
#define LX_SI_MESGQ (-3)
#define LX_SI_SIGIO (-5)
#define LX_SI_TKILL (-6)
#define LX_SI_DETHREAD (-7)
#define LX_SI_ASYNCNL (-60)
enum { LX_POLL_IN = 1, LX_POLL_OUT, LX_POLL_MSG, LX_POLL_ERR, LX_POLL_PRI, LX_POLL_HUP };
#define LX_POLL_CODES 6 /* POLL_IN to POLL_HUP: what a signal with no codes of its own may tell */
#define LX_SIGINFO_USED 48 /* bytes of a siginfo in which all known fields lie */

#define LX_ILL_ILLOPN 2
#define LX_FPE_INTDIV 1
#define LX_SEGV_MAPERR 1
#define LX_SEGV_ACCERR 2
#define LX_BUS_ADRERR 2
#define LX_TRAP_BRKPT 1

#define LX_CLD_EXITED 1
#define LX_CLD_KILLED 2
#define LX_CLD_DUMPED 3
#define LX_CLD_TRAPPED 4
#define LX_CLD_STOPPED 5
#define LX_CLD_CONTINUED 6

struct lx_sigaction {
    u64 handler;
    u64 flags;
    u64 restorer;
    u64 mask;
};

struct lx_stack {
    u64 sp;
    s32 flags;
    s32 pad;
    u64 size;
};

struct lx_siginfo {
    s32 signo, error, code, pad0;
    union {
        struct {
            s32 pid;
            u32 uid;
            u64 value; /* sigval */
        } rt;
        struct {
            s32 timerid, overrun;
            u64 value;
            s32 private;
        } timer;
        struct {
            s32 pid;
            u32 uid;
            s32 status, pad;
            s64 utime, stime;
        } chld;
        struct {
            u64 addr;
            u16 lsb;
        } fault;
        struct {
            s64 band;
            s32 fd;
        } poll;
        struct {
            u64 call_addr;
            s32 syscall;
            u32 arch;
        } sys;
        u8 pad[112];
    };
};

_Static_assert(sizeof(struct lx_siginfo) == 128, "siginfo_t is 128 bytes");

/* struct sigcontext of x86-64; part of the frame that a handler sees. */
struct lx_sigcontext {
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    u16 cs, gs, fs, ss;
    u64 err, trapno, oldmask, cr2;
    u64 fpstate; /* guest pointer to the extended state, or 0 */
    u64 reserved[8];
};

_Static_assert(sizeof(struct lx_sigcontext) == 256, "sigcontext is 256 bytes");

struct lx_ucontext {
    u64 flags;
    u64 link;
    struct lx_stack stack;
    struct lx_sigcontext mcontext;
    u64 sigmask;
};

#define LX_UC_FP_XSTATE 1
#define LX_UC_SIGCONTEXT_SS 2
#define LX_UC_STRICT_RESTORE_SS 4

/* struct sigevent as the kernel has it: tid is meant with SIGEV_THREAD_ID. */
struct lx_sigevent {
    u64 value;
    s32 signo, notify, tid;
    s32 pad[11];
};

_Static_assert(sizeof(struct lx_sigevent) == 64, "sigevent_t is 64 bytes");

#define LX_SIGEV_SIGNAL 0
#define LX_SIGEV_NONE 1
#define LX_SIGEV_THREAD 2
#define LX_SIGEV_THREAD_ID 4

/* linux/signalfd.h */
#define LX_SFD_CLOEXEC 02000000
#define LX_SFD_NONBLOCK 04000

struct lx_signalfd_siginfo {
    u32 signo;
    s32 error, code;
    u32 pid, uid;
    s32 fd;
    u32 tid, band, overrun, trapno;
    s32 status, value_int;
    u64 value_ptr, utime, stime, addr;
    u16 addr_lsb, pad0;
    s32 syscall;
    u64 call_addr;
    u32 arch;
    u8 pad[28];
};

_Static_assert(sizeof(struct lx_signalfd_siginfo) == 128, "signalfd_siginfo is 128 bytes");
