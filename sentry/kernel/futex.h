/* Futexes: futex(2) without priority inheritance. */
#pragma once

#include "sentry/base/types.h"

struct mm;
struct restart_block;
struct task;

#define FUTEX_MATCH_ANY UINT32_MAX

/* futex_wait() - sleep while *uaddr == val, until `deadline` (monotonic ns; DEADLINE_NEVER).
 * Return: 0, -EAGAIN, -ETIMEDOUT, -EFAULT, -ERESTARTSYS, -ENOMEM. */
int futex_wait(struct task *t, uaddr_t uaddr, u32 val, u32 bitset, bool shared, u64 deadline);
/* futex_wake() - at most n sleepers whose bitset has a bit of `bitset`. Return: how many. */
s64 futex_wake(struct mm *mm, uaddr_t uaddr, s32 n, u32 bitset, bool shared);
/* futex_requeue() - wake `wake` sleepers, move `requeue` more to uaddr2; with `cmp` only if *uaddr
 * == val. Return: how many were woken or moved (futex(2) says woken only without cmp; Linux counts
 * both). */
s64 futex_requeue(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                  bool shared, bool cmp, u32 val);
/* futex_wake_op() - FUTEX_WAKE_OP: change *uaddr2 as `op` says, wake on uaddr, and on uaddr2 if the
 * old value compares. */
s64 futex_wake_op(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 wake2, u32 op,
                  bool shared);
/* futex_exit_robust_list() - at exit and exec: see robust_list.c. */
void futex_exit_robust_list(struct task *t);
/* futex_wake_addr() - wake n sleepers of each kind, private and shared (clear_child_tid). */
void futex_wake_addr(struct mm *mm, uaddr_t uaddr, s32 n);
