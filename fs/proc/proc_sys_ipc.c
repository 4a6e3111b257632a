/* /proc/sys/kernel, /proc/sys/fs/mqueue: the limits of the reader's IPC namespace (sysvipc(7),
 * mq_overview(7)). */
#include "fs/proc/proc_priv.h"

#include "sentry/base/limits.h"
#include "sentry/ipc/ipc.h"
#include "sentry/kernel/nsproxy.h"

#include <errno.h>
#include <string.h>

enum { MQ_MESSAGE_MIN = 128 };

static struct ipc_ns *reader_ns(void)
{
    return current ? current->ns->ipc : NULL;
}

static int parse_within(const char *text, u64 *value, u64 least, u64 most)
{
    return proc_parse_numbers(text, value, 1) < 0 || *value < least || *value > most ? -EINVAL : 0;
}

/* LIMIT_FILE() - show and store one limit from `least` to `most`. */
#define LIMIT_FILE(name, type, least, most)                                                       \
    int proc_show_##name(const struct proc_node *n, struct proc_text *out)                        \
    {                                                                                             \
        if (!reader_ns())                                                                         \
            return -ENOENT;                                                                       \
        proc_printf(out, "%lu\n", (unsigned long)ipc_ns_limits(reader_ns()).name);                \
        return 0;                                                                                 \
    }                                                                                             \
    int proc_store_##name(const struct proc_node *n, const struct cred *opener, const char *text, \
                          size_t len)                                                             \
    {                                                                                             \
        struct ipc_limits l;                                                                      \
        u64 value;                                                                                \
                                                                                                  \
        if (!reader_ns() || parse_within(text, &value, (least), (most)) < 0)                      \
            return -EINVAL;                                                                       \
        l = ipc_ns_limits(reader_ns());                                                           \
        l.name = (type)value;                                                                     \
        ipc_ns_set_limits(reader_ns(), &l);                                                       \
        return 0;                                                                                 \
    }

LIMIT_FILE(shmmax, u64, 0, UINT64_MAX)
LIMIT_FILE(shmall, u64, 0, UINT64_MAX)
LIMIT_FILE(shmmni, u32, 0, LIMIT_SHM_SEGMENTS)
LIMIT_FILE(msgmax, u32, 0, LIMIT_MSG_SIZE)
LIMIT_FILE(msgmnb, u32, 0, INT32_MAX)
LIMIT_FILE(msgmni, u32, 0, LIMIT_MSG_QUEUES)
LIMIT_FILE(mq_queues_max, u32, 0, LIMIT_MQUEUES)
LIMIT_FILE(mq_msg_max, u32, 1, LIMIT_MQ_MESSAGES)
LIMIT_FILE(mq_msgsize_max, u32, MQ_MESSAGE_MIN, LIMIT_MQ_MESSAGE)
LIMIT_FILE(mq_msg_default, u32, 1, LIMIT_MQ_MESSAGES)
LIMIT_FILE(mq_msgsize_default, u32, MQ_MESSAGE_MIN, LIMIT_MQ_MESSAGE)

/* Segments outlive their maker until somebody removes them. */
int proc_show_rmid_forced(const struct proc_node *n, struct proc_text *out)
{
    proc_puts(out, "0\n");
    return 0;
}

int proc_show_sem(const struct proc_node *n, struct proc_text *out)
{
    struct ipc_limits l;

    if (!reader_ns())
        return -ENOENT;
    l = ipc_ns_limits(reader_ns());
    proc_printf(out, "%u\t%u\t%u\t%u\n", l.semmsl, l.semmns, l.semopm, l.semmni);
    return 0;
}

int proc_store_sem(const struct proc_node *n, const struct cred *opener, const char *text,
                   size_t len)
{
    struct ipc_limits l;
    u64 v[4];

    if (!reader_ns())
        return -ENOENT;
    l = ipc_ns_limits(reader_ns());
    v[0] = l.semmsl;
    v[1] = l.semmns;
    v[2] = l.semopm;
    v[3] = l.semmni;
    if (proc_parse_numbers(text, v, 4) < 0 || v[0] > LIMIT_SEM_SET || v[1] > LIMIT_SEMAPHORES ||
        v[2] > LIMIT_SEM_OPS || v[3] > LIMIT_SEM_SETS)
        return -EINVAL;
    l.semmsl = (u32)v[0];
    l.semmns = (u32)v[1];
    l.semopm = (u32)v[2];
    l.semmni = (u32)v[3];
    ipc_ns_set_limits(reader_ns(), &l);
    return 0;
}
