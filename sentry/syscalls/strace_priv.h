/* What the parts of --strace share. */
#pragma once

#include "sentry/base/types.h"

struct mm;
struct task;

/* A bounded line: what doesn't fit is cut. */
struct strace_line {
    char text[2000];
    size_t len;
};

void strace_put(struct strace_line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* strace_put_bytes() - a quoted string with escapes; `cut`: it goes on after these bytes. */
void strace_put_bytes(struct strace_line *l, const u8 *p, size_t len, bool cut);
/* strace_put_flags() - the value in the names of `set`; hexadecimal if the set is not known. */
void strace_put_flags(struct strace_line *l, const char *set, u64 value);
/* strace_put_args() - all arguments by their types; `result` NULL: before the call. */
void strace_put_args(struct strace_line *l, struct task *t, const char *types, const u64 a[6],
                     const s64 *result, u32 log_size);
/* strace_put_sockaddr() - " {…}" of the address of `len` bytes at `at`. */
void strace_put_sockaddr(struct strace_line *l, struct mm *mm, uaddr_t at, u64 len);
