/*
 * Bytes and calls of reading and writing, as /proc/PID/io tells them: what files took and gave,
 * wherever their bytes came from. A thread counts its own; its group has what gone threads and
 * reaped children counted.
 */
#pragma once

#include "sentry/base/types.h"

#include <stdatomic.h>

struct io_count {
    _Atomic(u64) rchar, wchar, syscr, syscw;
};

static inline void io_count_add(struct io_count *to, const struct io_count *n)
{
    atomic_fetch_add_explicit(&to->rchar, n->rchar, memory_order_relaxed);
    atomic_fetch_add_explicit(&to->wchar, n->wchar, memory_order_relaxed);
    atomic_fetch_add_explicit(&to->syscr, n->syscr, memory_order_relaxed);
    atomic_fetch_add_explicit(&to->syscw, n->syscw, memory_order_relaxed);
}

/* io_count_bump() - one writer: a load and a store are cheaper than a locked addition. */
static inline void io_count_bump(_Atomic(u64) *n, u64 more)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* io_count_read(), io_count_write() - the calling task's call that moved `n` bytes, or failed. */
static inline void io_count_read(struct io_count *c, s64 n)
{
    io_count_bump(&c->syscr, 1);
    if (n > 0)
        io_count_bump(&c->rchar, (u64)n);
}

static inline void io_count_write(struct io_count *c, s64 n)
{
    io_count_bump(&c->syscw, 1);
    if (n > 0)
        io_count_bump(&c->wchar, (u64)n);
}
