/* Control messages of AF_UNIX: files (SCM_RIGHTS) and credentials (SCM_CREDENTIALS). */
#include "fs/vfs/vfs.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usermem.h"
#include "sentry/socket/unix_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void unix_ids_put(struct unix_ids *ids)
{
    pid_put(ids->pid);
    ids->pid = NULL;
}

struct unix_rights *unix_rights_new(u32 n)
{
    struct unix_rights *r = malloc(sizeof(*r) + n * sizeof(r->files[0]));

    if (r)
        *r = (struct unix_rights){0};
    return r;
}

/* --- sending --- */

/* grow_rights() - room for n more files. Return: false: out of memory. */
static bool grow_rights(struct unix_rights **r, u32 n)
{
    u32 total = *r ? (*r)->n + n : n;
    struct unix_rights *bigger =
        *r ? realloc(*r, sizeof(**r) + total * sizeof((*r)->files[0])) : unix_rights_new(n);

    if (!bigger)
        return false;
    if (!*r)
        bigger->n = 0;
    *r = bigger;
    return true;
}

/* take_rights() - the files behind the descriptors of one SCM_RIGHTS. */
static int take_rights(const struct cmsg *c, struct unix_scm *scm)
{
    u32 n = c->len / (u32)sizeof(s32);
    s32 fd;

    if (!n)
        return 0;
    if (n > LX_SCM_MAX_FD || (scm->rights && scm->rights->n + n > LX_SCM_MAX_FD))
        return -EINVAL;
    if (!grow_rights(&scm->rights, n))
        return -ENOMEM;
    for (u32 i = 0; i < n; i++) {
        struct file *f;

        memcpy(&fd, c->data + i * sizeof(fd), sizeof(fd));
        f = fd_get(current->files, fd);
        if (!f)
            return -EBADF;
        scm->rights->files[scm->rights->n++] = f;
    }
    return 0;
}

static bool may_claim(u32 id, u32 a, u32 b, u32 c, int cap)
{
    return id == a || id == b || id == c || cred_ns_capable(task_cred(current), cap);
}

/* check_ids() - may the caller say that it is this? Return: 0, -EPERM. */
static int check_ids(s32 pid, u32 uid, u32 gid)
{
    const struct cred *c = task_cred(current);
    const struct pid_ns *ns = current->pid->ns;

    if (pid != pid_nr(current->tg->pid, ns) && !cred_has_cap(c, ns->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    if (!may_claim(uid, c->uid, c->euid, c->suid, LX_CAP_SETUID) ||
        !may_claim(gid, c->gid, c->egid, c->sgid, LX_CAP_SETGID))
        return -EPERM;
    return 0;
}

/* find_pid() - Return: a new reference or NULL. */
static struct pid *find_pid(s32 nr)
{
    struct pid *p;

    pid_lock();
    p = pid_get(pid_find_locked(current->pid->ns, nr));
    pid_unlock();
    return p;
}

static int take_ids(const struct cmsg *c, struct unix_scm *scm)
{
    const struct user_ns *ns = task_cred(current)->user_ns;
    struct lx_ucred u;
    struct pid *pid;
    u32 uid, gid;
    int err;

    if (c->len != sizeof(u))
        return -EINVAL;
    memcpy(&u, c->data, sizeof(u));
    uid = uid_to_kuid(ns, u.uid);
    gid = gid_to_kgid(ns, u.gid);
    if (uid == ID_INVALID || gid == ID_INVALID)
        return -EINVAL;
    err = check_ids(u.pid, uid, gid);
    if (err)
        return err;
    pid = find_pid(u.pid);
    if (!pid)
        return -ESRCH;
    unix_ids_put(&scm->ids);
    scm->ids = (struct unix_ids){pid, uid, gid};
    return 0;
}

static int take_all(const struct socket_msg *m, struct unix_scm *scm)
{
    struct cmsg c;
    u32 at = 0;
    int more, err;

    while ((more = cmsg_next(&m->control, &at, &c)) > 0) {
        if (c.level != LX_SOL_SOCKET)
            continue;
        if (c.type == LX_SCM_RIGHTS)
            err = take_rights(&c, scm);
        else
            err = c.type == LX_SCM_CREDENTIALS ? take_ids(&c, scm) : -EINVAL;
        if (err)
            return err;
    }
    return more;
}

int unix_scm_send(struct socket_msg *m, struct unix_scm *scm)
{
    int err;

    *scm = (struct unix_scm){{NULL, ID_INVALID, ID_INVALID}, NULL};
    if (!m->control.len)
        return 0;
    err = take_all(m, scm);
    if (!err && scm->rights)
        err = unix_gc_out(scm->rights);
    if (err)
        unix_scm_end(scm);
    return err;
}

void unix_scm_end(struct unix_scm *scm)
{
    unix_ids_put(&scm->ids);
    unix_rights_put(scm->rights);
    scm->rights = NULL;
}

void unix_scm_attach(struct unix_scm *scm, struct unix_msg *m, bool rights)
{
    if (scm->ids.pid) {
        m->ids = scm->ids;
        pid_get(m->ids.pid);
    }
    if (rights) {
        m->rights = scm->rights;
        scm->rights = NULL;
    }
}

void unix_scm_default(const struct unix_socket *u, const struct unix_socket *to, struct unix_msg *m)
{
    const u32 asked = SOCKET_PASSCRED;
    const struct cred *c = task_cred(current);

    if (m->ids.pid)
        return;
    /* One that nobody has accepted may still ask for them. */
    if (to->s.ino && !socket_flag(&u->s, asked) && !socket_flag(&to->s, asked))
        return;
    m->ids = (struct unix_ids){pid_get(current->tg->pid), c->uid, c->gid};
}

/* --- receiving --- */

static void put_ids(struct socket_msg *m, const struct unix_ids *ids)
{
    const struct user_ns *ns = task_cred(current)->user_ns;
    struct lx_ucred c = {0, uid_from_kuid(ns, ids->uid), gid_from_kgid(ns, ids->gid)};

    if (ids->pid)
        c.pid = pid_was_nr(ids->pid, current->pid->ns);
    cmsg_put(m, LX_SOL_SOCKET, LX_SCM_CREDENTIALS, &c, sizeof(c));
}

/* takes() - does the guest's memory take the numbers of n descriptors? */
static bool takes(const struct socket_control *c, u32 n)
{
    const s32 none[LX_SCM_MAX_FD] = {0};

    return usermem_out(current->mm, c->to + c->len + sizeof(struct lx_cmsghdr), none,
                       n * sizeof(none[0])) == 0;
}

/* room_for_rights() - for how many of n descriptors. One that could not be told is never made. */
static u32 room_for_rights(const struct socket_control *c, u32 n)
{
    u32 room = c->cap - c->len, head = sizeof(struct lx_cmsghdr), most;

    most = room > head ? min_of((room - head) / (u32)sizeof(s32), n) : 0;
    while (most && !takes(c, most))
        most--;
    return most;
}

/* put_rights() - descriptors for as many files as there is room for. */
static void put_rights(struct socket_msg *m, struct unix_rights *r)
{
    u32 most = room_for_rights(&m->control, r->n), n = 0;
    u64 limit = task_rlimit(current, LX_RLIMIT_NOFILE);
    s32 fds[LX_SCM_MAX_FD];

    while (n < most) {
        struct file *f = file_get(r->files[n]);

        fds[n] = fd_install(current->files, f, 0, limit, m->flags & LX_MSG_CMSG_CLOEXEC);
        if (fds[n] < 0) {
            file_put(f);
            break;
        }
        n++;
    }
    if (n)
        cmsg_put(m, LX_SOL_SOCKET, LX_SCM_RIGHTS, fds, n * (u32)sizeof(fds[0]));
    if (n < r->n)
        m->out_flags |= LX_MSG_CTRUNC;
}

void unix_scm_recv(struct unix_socket *u, struct socket_msg *m, const struct unix_ids *ids,
                   struct unix_rights *rights)
{
    bool pass = socket_flag(&u->s, SOCKET_PASSCRED);

    if (!m->control.cap) {
        if (pass || rights)
            m->out_flags |= LX_MSG_CTRUNC;
    } else {
        if (pass)
            put_ids(m, ids);
        if (rights)
            put_rights(m, rights);
    }
    unix_rights_put(rights);
}
