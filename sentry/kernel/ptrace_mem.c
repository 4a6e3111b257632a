/*
 * A tracer's access to memory that its owner's protection forbids: breakpoints in text, pages without
 * rights (see mm_force()). Only a thread of that memory can do it: the caller's own, or one of its
 * tracees, which is stopped.
 */
#include "sentry/kernel/ptrace.h"

#include <errno.h>

struct force_call {
    uaddr_t addr;
    void *buf;
    size_t len;
    bool write;
    int err;
};

static void force_here(struct task *target, void *arg)
{
    struct force_call *c = arg;

    c->err = mm_force(target->mm, target->thread, c->addr, c->buf, c->len, c->write);
}

int trace_force(struct task *target, uaddr_t addr, void *buf, size_t len, bool write)
{
    struct force_call c = {addr, buf, len, write, 0};

    trace_call(target, force_here, &c);
    return c.err;
}

/* tracee_in() - a tracee of the calling task that runs in `mm` and is stopped: a new reference, held;
 * NULL: none. */
static struct task *tracee_in(struct task *t, const struct mm *mm)
{
    struct task *found = NULL;
    struct tracee *p;

    pid_lock();
    list_for_each(p, &t->tracees, node) {
        if (task_mm_id(p->task) != mm->obj.id || trace_hold(t, p->task, false) < 0)
            continue;
        found = task_get(p->task);
        break;
    }
    pid_unlock();
    return found;
}

static int force(struct task *t, struct mm *mm, uaddr_t addr, void *buf, size_t len, bool write)
{
    struct task *target;
    int err;

    if (t->mm == mm)
        return mm_force(mm, t->thread, addr, buf, len, write);
    target = tracee_in(t, mm);
    if (!target)
        return -EFAULT;
    err = target->mm == mm ? trace_force(target, addr, buf, len, write) : -EFAULT;
    trace_release(target);
    task_put(target);
    return err;
}

ssize_t trace_access(struct task *t, struct mm *mm, uaddr_t addr, void *buf, size_t len, bool write)
{
    size_t done = 0;

    while (done < len) {
        uaddr_t at = addr + done;
        size_t left = len - done;
        u8 *piece = (u8 *)buf + done;
        ssize_t n = write ? usermem_write(mm, at, piece, left) : usermem_read(mm, piece, at, left);

        if (n <= 0) {
            n = (ssize_t)min_of(left, (size_t)(GUEST_PAGE_SIZE - (at & ~GUEST_PAGE_MASK)));
            if (force(t, mm, at, piece, (size_t)n, write) < 0)
                break;
        }
        done += (size_t)n;
    }
    return done ? (ssize_t)done : -EIO;
}
