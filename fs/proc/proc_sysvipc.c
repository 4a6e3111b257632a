/* /proc/sysvipc: the objects of the reader's IPC namespace. */
#include "fs/proc/proc_priv.h"

#include "sentry/ipc/msg.h"
#include "sentry/ipc/sem.h"
#include "sentry/ipc/shm.h"
#include "sentry/kernel/nsproxy.h"

#define FILE_RO (LX_S_IFREG | 0444)

/* put_owner() - key, id and mode stand before, these four behind. */
static void put_owner(struct proc_text *out, const struct lx_ipc_perm *p)
{
    proc_printf(out, " %5u %5u %5u %5u", p->uid, p->gid, p->cuid, p->cgid);
}

/* show_all() - the head, then a line for each slot that has an object. */
static int show_all(struct proc_text *out, enum ipc_kind kind, const char *head,
                    void (*line)(struct proc_text *out, s32 slot))
{
    s32 last = current ? ipc_last_index(current->ns->ipc, kind) : -1;

    proc_puts(out, head);
    for (s32 i = 0; i <= last; i++)
        line(out, i);
    return 0;
}

static void msg_line(struct proc_text *out, s32 slot)
{
    struct lx_msqid_ds q;
    s64 id = msg_stat(current, slot, IPC_STAT_SLOT_ANY, &q);

    if (id < 0)
        return;
    proc_printf(out, "%10d %10ld  %4o  %10lu %10lu %5d %5d", q.perm.key, id, q.perm.mode, q.cbytes,
                q.qnum, q.lspid, q.lrpid);
    put_owner(out, &q.perm);
    proc_printf(out, " %10ld %10ld %10ld\n", q.stime, q.rtime, q.ctime);
}

static int show_msg(const struct proc_node *n, struct proc_text *out)
{
    return show_all(out, IPC_MSG,
                    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid"
                    "  cgid      stime      rtime      ctime\n",
                    msg_line);
}

static void sem_line(struct proc_text *out, s32 slot)
{
    struct lx_semid_ds s;
    s64 id = sem_stat(current, slot, IPC_STAT_SLOT_ANY, &s);

    if (id < 0)
        return;
    proc_printf(out, "%10d %10ld  %4o %10lu", s.perm.key, id, s.perm.mode, s.nsems);
    put_owner(out, &s.perm);
    proc_printf(out, " %10ld %10ld\n", s.otime, s.ctime);
}

static int show_sem(const struct proc_node *n, struct proc_text *out)
{
    return show_all(out, IPC_SEM,
                    "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
                    "ctime\n",
                    sem_line);
}

static void shm_line(struct proc_text *out, s32 slot)
{
    struct lx_shmid_ds s;
    s64 id = shm_stat(current, slot, IPC_STAT_SLOT_ANY, &s);

    if (id < 0)
        return;
    proc_printf(out, "%10d %10ld  %4o %21lu %5d %5d  %5lu", s.perm.key, id, s.perm.mode, s.segsz,
                s.cpid, s.lpid, s.nattch);
    put_owner(out, &s.perm);
    proc_printf(out, " %10ld %10ld %10ld %21lu %21u\n", s.atime, s.dtime, s.ctime,
                shm_resident(current->ns->ipc, slot) << GUEST_PAGE_SHIFT, 0u);
}

static int show_shm(const struct proc_node *n, struct proc_text *out)
{
    return show_all(out, IPC_SHM,
                    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
                    "  cuid  cgid      atime      dtime      ctime                   rss            "
                    "      swap\n",
                    shm_line);
}

const struct proc_entry proc_sysvipc_children[] = {
    {.name = "msg", .mode = FILE_RO, .show = show_msg},
    {.name = "sem", .mode = FILE_RO, .show = show_sem},
    {.name = "shm", .mode = FILE_RO, .show = show_shm},
    {0},
};
