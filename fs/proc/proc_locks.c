/* /proc/locks (proc(5)): what is locked, as the reader's pid namespace sees it. */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/locks.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/container.h"

#include <stdlib.h>

/* holder() - the holder's number here; 0: it is not seen. */
static s32 holder(const struct proc_node *n, const struct file_lock_info *l)
{
    struct thread_group *tg;
    s32 nr;

    if (l->kind == FILE_LOCK_OFD)
        return -1;
    tg = pid_find_group(current->tg->container->pid_ns, l->range.pid);
    nr = tg ? pid_nr(tg->pid, n->ns) : 0;
    thread_group_put(tg);
    return nr;
}

static void show_lock(struct proc_text *out, u32 number, const struct file_lock_info *l, s32 pid)
{
    static const char *const kinds[] = {"POSIX ", "OFDLCK", "FLOCK "};

    proc_printf(out, "%u: %s ADVISORY  %s %d %02x:%02x:%lu %lu ", number, kinds[l->kind],
                l->range.type == LX_F_WRLCK ? "WRITE" : "READ", pid, l->dev_major, l->dev_minor,
                (unsigned long)l->ino, (unsigned long)l->range.start);
    if (l->range.end == INT64_MAX)
        proc_puts(out, "EOF\n");
    else
        proc_printf(out, "%lu\n", (unsigned long)l->range.end);
}

int proc_show_locks(const struct proc_node *n, struct proc_text *out)
{
    auto_free struct file_lock_info *all = NULL;
    u32 count, number = 0;
    int err = current ? file_locks_list(&all, &count) : -1;

    for (u32 i = 0; !err && i < count; i++) {
        s32 pid = holder(n, &all[i]);

        if (pid)
            show_lock(out, ++number, &all[i], pid);
    }
    return current ? err : 0;
}
