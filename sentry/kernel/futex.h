/* Futexes: futex(2), futex_waitv(2). */
#pragma once

#include "sentry/base/types.h"

struct mm;
struct restart_block;
struct task;

#define FUTEX_MATCH_ANY UINT32_MAX

/* futex_wait() - sleep while *uaddr == val, until `deadline` (monotonic ns; DEADLINE_NEVER).
 * Return: 0, -EAGAIN, -ETIMEDOUT, -EFAULT, -ERESTARTSYS, -ENOMEM. */
int futex_wait(struct task *t, uaddr_t uaddr, u32 val, u32 bitset, bool shared, u64 deadline);
/* futex_wait_any() - sleep while each of n words has its value. Return: the number of one that was
 * woken, else as futex_wait(). */
struct futex_word {
    uaddr_t uaddr;
    u32 val;
    bool shared;
};
int futex_wait_any(struct task *t, const struct futex_word *words, u32 n, u64 deadline);
/* futex_wake() - at most n sleepers (legacy calls: 0 means 1, which is for them to say) whose bitset has a bit of `bitset`. Return: how many. */
s64 futex_wake(struct mm *mm, uaddr_t uaddr, s32 n, u32 bitset, bool shared);
/* futex_requeue() - wake `wake` sleepers, move `requeue` more to uaddr2; with `cmp` only if *uaddr
 * == val. Return: how many were woken or moved (futex(2) says woken only without cmp; Linux counts
 * both). */
s64 futex_requeue(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                  bool shared, bool cmp, u32 val);
/* futex_requeue_words() - the same from words[0], if it has its value, to words[1]. */
s64 futex_requeue_words(struct task *t, const struct futex_word *words, s32 wake, s32 requeue);
/* futex_wake_op() - FUTEX_WAKE_OP: change *uaddr2 as `op` says, wake on uaddr, and on uaddr2 if the
 * old value compares. */
s64 futex_wake_op(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 wake2, u32 op,
                  bool shared);
/* futex_lock_pi() - FUTEX_LOCK_PI and its kind: become the owner; `try_only`: don't wait (-EAGAIN).
 * Return: 0, -EDEADLK, -ESRCH (the owner is gone), -ETIMEDOUT, -EINVAL, -EFAULT, -ERESTARTNOINTR. */
s64 futex_lock_pi(struct task *t, uaddr_t uaddr, bool shared, u64 deadline, bool try_only);
/* futex_unlock_pi() - Return: 0, -EPERM (not the owner), -EINVAL, -EFAULT. */
s64 futex_unlock_pi(struct task *t, uaddr_t uaddr, bool shared);
/* futex_wait_requeue_pi() - sleep on uaddr until moved to uaddr2 and its owner.
 * futex_requeue_pi() - move them there. Return: how many. */
s64 futex_wait_requeue_pi(struct task *t, uaddr_t uaddr, u32 val, u32 bitset, bool shared,
                          u64 deadline, uaddr_t uaddr2);
s64 futex_requeue_pi(struct task *t, uaddr_t uaddr, uaddr_t uaddr2, s32 wake, s32 requeue,
                     bool shared, u32 val);
/* futex_pi_exit() - what the calling task owns goes to who waits for it: at exit (`for_good`) and
 * exec, after its robust list. */
void futex_pi_exit(struct task *t, bool for_good);
/* futex_exit_robust_list() - at exit and exec: see robust_list.c. */
void futex_exit_robust_list(struct task *t);
/* futex_wake_addr() - wake n sleepers of each kind, private and shared (clear_child_tid). */
void futex_wake_addr(struct mm *mm, uaddr_t uaddr, s32 n);
