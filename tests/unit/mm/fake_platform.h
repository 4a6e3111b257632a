/*
 * A platform without processes: a guest's memory is a plain list of mapped ranges and a table of
 * touched pages in this program. It keeps no more order than the host kernel promises: it never joins
 * neighbouring ranges, so a move across two of them is the host's EFAULT.
 */
#pragma once

#include "platform/platform.h"

#define FAKE_VVAR_BYTES 0x4000ull
#define FAKE_VDSO_BYTES 0x2000ull

struct fake_range {
    uaddr_t start, end;
    u32 prot;
    bool shared;
    int fd; /* borrowed from the order; -1: anonymous */
    u64 offset;
};

struct fake_page {
    uaddr_t addr; /* 0: free slot */
    u8 *bytes;
};

struct plat_mm {
    int refs;
    struct fake_range *ranges; /* sorted */
    size_t nranges;
    struct fake_page *pages; /* hash table of private pages that were touched */
    size_t npages, cap;
};

struct plat_thread {
    struct plat_mm *mm;
    char cmdline[4096];
    u32 cmdline_len;
};

/* What the tests steer and see. */
struct fake_state {
    u32 orders;  /* memory operations so far */
    u32 fail_at; /* this one (counted from 1) fails; 0: none */
    int fail_errno;
    bool no_vdso;
    u32 advices, syncs, prepared, aborted;
    int last_advice;
};
extern struct fake_state fake;

extern const struct platform_ops fake_platform;

/* fake_thread() - an empty address space with one thread. */
struct plat_thread *fake_thread(void);
/* fake_fork() - a copy of `th` and of all its memory. */
struct plat_thread *fake_fork(struct plat_thread *th);
void fake_thread_free(struct plat_thread *th);
/* fake_find() - the mapped range that holds addr, or NULL. */
const struct fake_range *fake_find(const struct plat_mm *mm, uaddr_t addr);
/* fake_live() - address spaces that exist. */
int fake_live(void);
