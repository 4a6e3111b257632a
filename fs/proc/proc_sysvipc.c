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

static int show_msg(const struct proc_node *n, struct proc_text *out)
{
    s32 last = current ? ipc_last_index(current->ns->ipc, IPC_MSG) : -1;

    proc_puts(out,
              "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid"
              "  cgid      stime      rtime      ctime\n");
    for (s32 i = 0; i <= last; i++) {
        struct lx_msqid_ds q;
        s64 id = msg_stat(current, i, LX_MSG_STAT_ANY, &q);

        if (id < 0)
            continue;
        proc_printf(out, "%10d %10ld  %4o  %10lu %10lu %5d %5d", q.perm.key, id, q.perm.mode,
                    q.cbytes, q.qnum, q.lspid, q.lrpid);
        put_owner(out, &q.perm);
        proc_printf(out, " %10ld %10ld %10ld\n", q.stime, q.rtime, q.ctime);
    }
    return 0;
}

static int show_sem(const struct proc_node *n, struct proc_text *out)
{
    s32 last = current ? ipc_last_index(current->ns->ipc, IPC_SEM) : -1;

    proc_puts(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
                   "ctime\n");
    for (s32 i = 0; i <= last; i++) {
        struct lx_semid_ds s;
        s64 id = sem_stat(current, i, LX_SEM_STAT_ANY, &s);

        if (id < 0)
            continue;
        proc_printf(out, "%10d %10ld  %4o %10lu", s.perm.key, id, s.perm.mode, s.nsems);
        put_owner(out, &s.perm);
        proc_printf(out, " %10ld %10ld\n", s.otime, s.ctime);
    }
    return 0;
}

static int show_shm(const struct proc_node *n, struct proc_text *out)
{
    s32 last = current ? ipc_last_index(current->ns->ipc, IPC_SHM) : -1;

    proc_puts(out,
              "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
              "  cuid  cgid      atime      dtime      ctime                   rss            "
              "      swap\n");
    for (s32 i = 0; i <= last; i++) {
        struct lx_shmid_ds s;
        s64 id = shm_stat(current, i, LX_SHM_STAT_ANY, &s);

        if (id < 0)
            continue;
        proc_printf(out, "%10d %10ld  %4o %21lu %5d %5d  %5lu", s.perm.key, id, s.perm.mode,
                    s.segsz, s.cpid, s.lpid, s.nattch);
        put_owner(out, &s.perm);
        proc_printf(out, " %10ld %10ld %10ld %21lu %21u\n", s.atime, s.dtime, s.ctime,
                    shm_resident(current->ns->ipc, i) << GUEST_PAGE_SHIFT, 0u);
    }
    return 0;
}

const struct proc_entry proc_sysvipc_children[] = {
    {.name = "msg", .mode = FILE_RO, .show = show_msg},
    {.name = "sem", .mode = FILE_RO, .show = show_sem},
    {.name = "shm", .mode = FILE_RO, .show = show_shm},
    {0},
};
