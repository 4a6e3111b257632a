/*
 * The guest filter: the boundary between guest code and the host kernel. Everything that it allows,
 * hostile code may do at any time, with any arguments, from any address; so what it allows must
 * matter to nobody but the process that does it.
 *
 *   call      verdict and reason
 *   other architecture (int 0x80, sysenter), x32 numbers: TRAP; become what Linux makes of them
 *   mmap      private anonymous fixed below the stub: allowed, own memory. Others: NOTIFY, the
 *             Sentry continues only what it has ordered of that very thread
 *   munmap, mprotect, madvise, mremap, msync
 *             by value, in own memory below the stub: allowed; advices only from the list that has
 *             no effect outside; mremap also from the vdso stash
 *   clock_gettime(CLOCK_THREAD_CPUTIME_ID)
 *             allowed: how much CPU time it has used itself
 *   getrusage(RUSAGE_THREAD)
 *             allowed: the same, with its own page faults and its process's memory
 *   membarrier(PRIVATE_EXPEDITED, its SYNC_CORE, and the registrations)
 *             allowed: they reach the CPUs that run its own process, and no other
 *   exit      a thread may end itself; its leader is parked, so only it is hurt
 *   close(STUB_DONATED_FD)
 *             allowed: who closes it before it is mapped has no mapping
 *   clone, check-in, close of anything else (the zygote's first call)
 *             NOTIFY: as for mmap
 *   all else  TRAP: a signal to itself; the Sentry sees it and acts
 *
 * Ranges are compared in units of 64 KiB, addr / 64K + len / 64K + 2 <= STUB_BASE / 64K, since the
 * filter machine has 32-bit words; the high words must be below 0x8000, so nothing wraps.
 */
#pragma once

#include "platform/stub/stub.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define BPF_NR 0
#define BPF_ARCH 4
#define BPF_LO(i) (16 + 8 * (i))
#define BPF_HI(i) (20 + 8 * (i))

#define F_LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define F_RET(what) BPF_STMT(BPF_RET | BPF_K, what)
#define F_TRAP F_RET(SECCOMP_RET_TRAP)
#define F_ALLOW F_RET(SECCOMP_RET_ALLOW)
#define F_NOTIFY F_RET(SECCOMP_RET_USER_NOTIF)
/* trap unless (or if) the accumulator compares so */
#define F_UNLESS_EQ(k) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0), F_TRAP
#define F_IF_GE(k) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, k, 0, 1), F_TRAP
#define F_IF_GT(k) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, k, 0, 1), F_TRAP
#define F_IF_BITS(k) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, 0, 1), F_TRAP
/* skip `n` instructions unless the number is nr */
#define F_CALL(nr, n) F_LOAD(BPF_NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, n)

/* A = argument i in units of 64 KiB, rounded down; traps above 2^47. */
#define F_UNITS(i)                                                                                 \
    F_LOAD(BPF_HI(i)), F_IF_GE(0x8000), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 16),                   \
        BPF_STMT(BPF_ST, 0), F_LOAD(BPF_LO(i)), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),           \
        BPF_STMT(BPF_LDX | BPF_MEM, 0), BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0)
#define F_UNITS_LEN 9
/* trap unless [argument a, + argument l) lies below the stub */
#define F_RANGE(a, l)                                                                              \
    F_UNITS(a), BPF_STMT(BPF_ST, 1), F_UNITS(l), BPF_STMT(BPF_LDX | BPF_MEM, 1),                   \
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 2),            \
        F_IF_GT(STUB_BASE >> 16)
#define F_RANGE_LEN (2 * F_UNITS_LEN + 6)
#define F_HIGH_ZERO(i) F_LOAD(BPF_HI(i)), F_UNLESS_EQ(0)
#define F_HIGH_ZERO_LEN 3
#define F_PROT(i) F_HIGH_ZERO(i), F_LOAD(BPF_LO(i)), F_IF_BITS(0xfffffff8u)
#define F_PROT_LEN (F_HIGH_ZERO_LEN + 3)

#define MMAP_OWN 0x32u          /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED */
#define MMAP_OWN_NORESERVE 0x4032u

static const struct sock_filter guest_filter[] = {
    F_LOAD(BPF_ARCH), F_UNLESS_EQ(AUDIT_ARCH_X86_64),
    F_CALL(STUB_NR_CHECKIN, 1), F_NOTIFY,
    F_LOAD(BPF_NR), F_IF_GE(0x40000000u),

    F_CALL(9 /* mmap */, F_HIGH_ZERO_LEN + 4 + F_PROT_LEN + F_RANGE_LEN + 1),
    F_HIGH_ZERO(3), F_LOAD(BPF_LO(3)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MMAP_OWN, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MMAP_OWN_NORESERVE, 1, 0), F_NOTIFY,
    F_PROT(2), F_RANGE(0, 1), F_ALLOW,

    F_CALL(11 /* munmap */, F_RANGE_LEN + 1), F_RANGE(0, 1), F_ALLOW,
    F_CALL(10 /* mprotect */, F_PROT_LEN + F_RANGE_LEN + 1), F_PROT(2), F_RANGE(0, 1), F_ALLOW,

    F_CALL(28 /* madvise */, F_HIGH_ZERO_LEN + 1 + 13 + F_RANGE_LEN + 1),
    F_HIGH_ZERO(2), F_LOAD(BPF_LO(2)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0 /* NORMAL */, 12, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1 /* RANDOM */, 11, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2 /* SEQUENTIAL */, 10, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3 /* WILLNEED */, 9, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4 /* DONTNEED */, 8, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 /* FREE */, 7, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 14 /* HUGEPAGE */, 6, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 15 /* NOHUGEPAGE */, 5, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20 /* COLD */, 4, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 21 /* PAGEOUT */, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 22 /* POPULATE_READ */, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 23 /* POPULATE_WRITE */, 1, 0), F_TRAP,
    F_RANGE(0, 1), F_ALLOW,

    /* mremap: the target below the stub, the source there or exactly in the stash */
    F_CALL(25 /* mremap */, F_HIGH_ZERO_LEN + 4 + F_RANGE_LEN + 5 + F_RANGE_LEN + 1),
    F_HIGH_ZERO(3), F_LOAD(BPF_LO(3)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3 /* MAYMOVE | FIXED */, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7 /* … | DONTUNMAP */, 1, 0), F_TRAP,
    F_RANGE(4, 2), F_LOAD(BPF_HI(0)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STUB_VDSO_STASH >> 32, 0, 3), F_LOAD(BPF_LO(0)),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, STUB_VDSO_STASH & 0xffffffff, 0, 1),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, STUB_VDSO_STASH_END & 0xffffffff, 0, F_RANGE_LEN),
    F_RANGE(0, 1), F_ALLOW,

    F_CALL(26 /* msync */, F_PROT_LEN + F_RANGE_LEN + 1), F_PROT(2), F_RANGE(0, 1), F_ALLOW,

    F_CALL(324 /* membarrier */, 2 * F_HIGH_ZERO_LEN + 10),
    F_HIGH_ZERO(1), F_LOAD(BPF_LO(1)), F_UNLESS_EQ(0),
    F_HIGH_ZERO(0), F_LOAD(BPF_LO(0)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 /* PRIVATE_EXPEDITED */, 4, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 16 /* REGISTER_… */, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 32 /* …_SYNC_CORE */, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 64 /* REGISTER_…_SYNC_CORE */, 1, 0), F_TRAP, F_ALLOW,

    F_CALL(228 /* clock_gettime */, F_HIGH_ZERO_LEN + 4),
    F_HIGH_ZERO(0), F_LOAD(BPF_LO(0)), F_UNLESS_EQ(3 /* CLOCK_THREAD_CPUTIME_ID */), F_ALLOW,

    F_CALL(98 /* getrusage */, F_HIGH_ZERO_LEN + 4),
    F_HIGH_ZERO(0), F_LOAD(BPF_LO(0)), F_UNLESS_EQ(1 /* RUSAGE_THREAD */), F_ALLOW,

    F_CALL(60 /* exit */, 1), F_ALLOW,
    F_CALL(56 /* clone */, 1), F_NOTIFY,
    F_CALL(3 /* close */, 6),
    F_LOAD(BPF_HI(0)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3), F_LOAD(BPF_LO(0)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STUB_DONATED_FD, 0, 1), F_ALLOW, F_NOTIFY,
    F_TRAP,
};
