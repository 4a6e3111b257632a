/* syslog(2): the sandbox's own kernel log. */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_system.h"
#include "sentry/base/clean.h"
#include "sentry/base/lock.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/dmesg.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

/* Positions in the log, one pair for the sandbox as Linux has one for the system. */
static struct mutex lock = MUTEX_INIT(LEAF);
static u64 read_at;    /* where SYSLOG_ACTION_READ goes on */
static u64 cleared_to; /* SYSLOG_ACTION_READ_ALL starts here */

static u64 get_mark(const u64 *mark)
{
    u64 v;

    mutex_lock(&lock);
    v = *mark;
    mutex_unlock(&lock);
    return v;
}

static void set_mark(u64 *mark, u64 v)
{
    mutex_lock(&lock);
    *mark = v;
    mutex_unlock(&lock);
}

/* put_log() - lines from *from on to the guest's buffer; `newest`: rather the last that fit.
 * Return: bytes. *from is advanced past them. */
static s64 put_log(struct task *t, u64 *from, u64 ubuf, u64 len, bool newest)
{
    size_t cap = min_of(len, (u64)DMESG_BYTES), n;
    auto_free char *buf = malloc(cap ? cap : 1);
    u64 end = dmesg_end();

    if (!buf)
        return -ENOMEM;
    if (newest && end > cap && *from < end - cap)
        *from = end - cap;
    n = dmesg_read(from, buf, cap);
    return usermem_out(t->mm, ubuf, buf, n) < 0 ? -EFAULT : (s64)n;
}

/* read_next() - wait for a line that nobody has read this way, and take what fits. */
static s64 read_next(struct task *t, u64 ubuf, u64 len)
{
    u64 from;
    s64 rc = wait_event(dmesg_queue(), 0, DEADLINE_NEVER, get_mark(&read_at) < dmesg_end());

    if (rc < 0)
        return rc;
    from = get_mark(&read_at);
    rc = put_log(t, &from, ubuf, len, false);
    if (rc >= 0)
        set_mark(&read_at, from);
    return rc;
}

static s64 read_all(struct task *t, u64 ubuf, u64 len, bool clear)
{
    u64 from = get_mark(&cleared_to);
    s64 n = put_log(t, &from, ubuf, len, true);

    if (n >= 0 && clear)
        set_mark(&cleared_to, from);
    return n;
}

/* allowed() - may the task do this? Reading all of it is for everybody. */
static bool allowed(struct task *t, s32 type)
{
    return type == LX_SYSLOG_ACTION_READ_ALL || type == LX_SYSLOG_ACTION_SIZE_BUFFER ||
           cred_has_cap(task_cred(t), t->tg->container->user_ns, LX_CAP_SYSLOG);
}

s64 sys_syslog(struct task *t, const u64 a[6])
{
    s32 type = (s32)a[0], len = (s32)a[2];
    bool reads = type >= LX_SYSLOG_ACTION_READ && type <= LX_SYSLOG_ACTION_READ_CLEAR;

    if (type < LX_SYSLOG_ACTION_CLOSE || type > LX_SYSLOG_ACTION_SIZE_BUFFER)
        return -EINVAL;
    if (!allowed(t, type))
        return -EPERM;
    if (reads && (!a[1] || len < 0))
        return -EINVAL;
    if (reads && len == 0)
        return 0;
    switch (type) {
    case LX_SYSLOG_ACTION_CLOSE:
    case LX_SYSLOG_ACTION_OPEN:
    case LX_SYSLOG_ACTION_CONSOLE_OFF:
    case LX_SYSLOG_ACTION_CONSOLE_ON: return 0;
    case LX_SYSLOG_ACTION_READ: return read_next(t, a[1], (u64)len);
    case LX_SYSLOG_ACTION_READ_ALL:
    case LX_SYSLOG_ACTION_READ_CLEAR:
        return read_all(t, a[1], (u64)len, type == LX_SYSLOG_ACTION_READ_CLEAR);
    case LX_SYSLOG_ACTION_CLEAR: set_mark(&cleared_to, dmesg_end()); return 0;
    case LX_SYSLOG_ACTION_CONSOLE_LEVEL: return len >= 1 && len <= 8 ? 0 : -EINVAL;
    case LX_SYSLOG_ACTION_SIZE_UNREAD: return (s64)(dmesg_end() - get_mark(&read_at));
    case LX_SYSLOG_ACTION_SIZE_BUFFER: return DMESG_BYTES;
    default: return -EINVAL;
    }
}
