/*
 * What a task owes other threads through futexes when it ends: the locks of its robust list are
 * marked FUTEX_OWNER_DIED and their sleepers woken (get_robust_list(2)). The list is the guest's: bounded, each word changed by
 * an atomic operation of the task's own host thread, so that no update by others is lost.
 */
#include "sentry/kernel/container.h"
#include "sentry/kernel/futex_priv.h"

#define ROBUST_LIST_LIMIT 2048

struct robust_head {
    u64 next;
    s64 futex_offset;
    u64 op_pending;
};

/* owner_died() - one lock of the list; `pi`: its waiters are woken by futex_pi_exit(). Return: 0, or -EFAULT to end the walk. */
static int owner_died(struct task *t, uaddr_t uaddr, bool pi, bool pending)
{
    u32 word, old, tid = (u32)pid_nr(t->pid, t->pid->ns);
    int err = usermem_get(t->mm, &word, uaddr);

    while (!err) {
        if (pending && !pi && !word) {
            /* Unlocked, but killed before it woke anybody. */
            futex_wake_addr(t->mm, uaddr, 1);
            return 0;
        }
        if ((word & FUTEX_TID_MASK) != tid)
            return 0;
        err = t->mm->platform->atomic(t->thread, uaddr, PLAT_ATOMIC_CMPXCHG,
                                      (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, word, &old);
        if (err || old == word)
            break;
        word = old;
    }
    if (!err && !pi && (word & FUTEX_WAITERS))
        futex_wake_addr(t->mm, uaddr, 1);
    return err;
}

static void walk_robust_list(struct task *t)
{
    struct robust_head head;
    u64 entry, pending; /* bit 0 of a pointer: a PI futex */

    if (!t->robust_list || usermem_get(t->mm, &head, t->robust_list) < 0)
        return;
    pending = head.op_pending & ~1ull;
    entry = head.next;
    for (u32 i = 0; i < ROBUST_LIST_LIMIT && (entry & ~1ull) != t->robust_list; i++) {
        u64 at = entry & ~1ull, next;

        if (usermem_get(t->mm, &next, at) < 0)
            return;
        if (at != pending && owner_died(t, at + (u64)head.futex_offset, entry & 1, false) < 0)
            return;
        entry = next;
    }
    if (pending)
        owner_died(t, pending + (u64)head.futex_offset, head.op_pending & 1, true);
}

void futex_exit_robust_list(struct task *t)
{
    if (t->mm)
        walk_robust_list(t);
    t->robust_list = 0;
}

void futex_wake_addr(struct mm *mm, uaddr_t uaddr, s32 n)
{
    futex_wake(mm, uaddr, n, FUTEX_MATCH_ANY, true);
    futex_wake(mm, uaddr, n, FUTEX_MATCH_ANY, false);
}
