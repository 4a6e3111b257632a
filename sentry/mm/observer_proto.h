/*
 * What Sentry and observer say to each other, over a SOCK_SEQPACKET pair: a request is one packet,
 * its answer one or more, the last with more = 0. One request at a time. The Sentry believes
 * nothing in an answer but that it is numbers.
 */
#pragma once

#include "sentry/base/types.h"

#include <assert.h>

#define OBSERVER_PACKET 16384u /* bytes of an answer's packet at most */

enum observer_op {
    OBSERVER_STATM,      /* one struct observer_statm */
    OBSERVER_STAT,       /* one struct observer_stat */
    OBSERVER_STATUS,     /* one struct observer_status */
    OBSERVER_SMAPS,      /* struct observer_vma, ascending; those that hold nothing are left out */
    OBSERVER_PAGEMAP,    /* u64 of pagemap, `count` from page `start` on; fewer at the end */
    OBSERVER_CLEAR_REFS, /* nothing; `start` is what is written, '1' and so on */
};

struct observer_request {
    u32 op;
    s32 pid;
    u64 start;
    u32 count, pad;
};
static_assert(sizeof(struct observer_request) == 24, "as both sides have it");

struct observer_reply {
    s32 error; /* 0 or a negative errno; then nothing follows */
    u32 count; /* records behind this */
    u32 more;  /* 1: another packet follows */
    u32 pad;
};
static_assert(sizeof(struct observer_reply) == 16, "records are aligned behind it");

struct observer_statm {
    u64 resident, shared; /* pages */
};

struct observer_stat {
    u64 min_flt, maj_flt, resident; /* of the process, its gone threads too; pages */
};

/* The lines of status that OBSERVER_STATUS brings, in this order, in kB or as they are. */
#define OBSERVER_STATUS_FIELDS(X)                                                              \
    X(hwm, "VmHWM")                                                                            \
    X(rss, "VmRSS") X(anon, "RssAnon") X(file, "RssFile") X(shmem, "RssShmem") X(pte, "VmPTE") \
        X(swap, "VmSwap") X(voluntary, "voluntary_ctxt_switches")                              \
            X(involuntary, "nonvoluntary_ctxt_switches")

/* The lines of smaps that OBSERVER_SMAPS brings, in kB, in the order in which Linux shows them. */
#define OBSERVER_SMAPS_FIELDS(X)                                                                 \
    X(rss, "Rss")                                                                                \
    X(pss, "Pss") X(pss_dirty, "Pss_Dirty") X(shared_clean, "Shared_Clean")                      \
        X(shared_dirty, "Shared_Dirty") X(private_clean, "Private_Clean")                        \
            X(private_dirty, "Private_Dirty") X(referenced, "Referenced")                        \
                X(anonymous, "Anonymous") X(lazy_free, "LazyFree") X(anon_huge, "AnonHugePages") \
                    X(shmem_pmd, "ShmemPmdMapped") X(file_pmd, "FilePmdMapped") X(swap, "Swap")  \
                        X(swap_pss, "SwapPss")

#define OBSERVER_MEMBER(name, key) u64 name;
struct observer_status {
    OBSERVER_STATUS_FIELDS(OBSERVER_MEMBER)
};

struct observer_vma {
    u64 start, end;
    struct observer_sums {
        OBSERVER_SMAPS_FIELDS(OBSERVER_MEMBER)
    } kb;
};
#undef OBSERVER_MEMBER
