/* Looking into another process: process_vm_readv(2), process_vm_writev(2), kcmp(2). */
#include "fs/epoll/epoll.h"
#include "fs/vfs/file.h"
#include "sentry/base/clean.h"
#include "sentry/ipc/sem.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

enum { FAST_VECS = 8 };

/* remote_mm() - another process's memory as who may attach to it: a new reference. */
static int remote_mm(struct task *t, s32 nr, struct mm **out)
{
    auto_put(task) struct task *other = pid_find_task(t->pid->ns, nr);
    auto_put(mm) struct mm *mm = NULL;
    int rc;

    if (!other)
        return -ESRCH;
    do {
        mm_put(mm);
        mm = task_mm(other);
        rc = task_may_access(t, other, true);
    } while (task_mm_id(other) != (mm ? mm->obj.id : 0));
    if (rc == 0 && !mm)
        rc = -ESRCH;
    if (rc == 0)
        *out = take(mm);
    return rc;
}

/* copy() - from one memory's buffers to the other's, a piece at a time. Return: bytes, -EFAULT. */
static s64 copy(struct task *t, struct uio *from, struct uio *to)
{
    void *buf = bounce_get();
    s64 done = 0, rc = 0;

    if (!buf)
        return -ENOMEM;
    while (from->left && to->left && !atomic_load(&t->sleeper.killed)) {
        size_t both = min_of(from->left, to->left), want = min_of(both, (size_t)BOUNCE_BYTES);
        ssize_t got = uio_from(from, buf, want);
        ssize_t put = got > 0 ? uio_to(to, buf, (size_t)got) : got;

        rc = put;
        done += put > 0 ? put : 0;
        if (put < (ssize_t)want)
            break;
    }
    bounce_put(buf);
    return done ? done : rc;
}

static bool has_bytes(const struct uio_vec *vec, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (vec[i].len)
            return true;
    return false;
}

/* process_vm() - both calls. */
static s64 process_vm(struct task *t, const u64 a[6], bool write)
{
    struct uio_vec fast[2][FAST_VECS], *local = fast[0], *remote = fast[1];
    auto_put(mm) struct mm *mm = NULL;
    struct uio here, there;
    s64 rc;

    if (a[5])
        return -EINVAL;
    rc = usermem_iovec(t->mm, a[1], a[2], fast[0], FAST_VECS, &local);
    if (rc < 0)
        return rc;
    uio_init(&here, t->mm, local, (u32)a[2]);
    rc = here.left ? usermem_iovec(t->mm, a[3], a[4], fast[1], FAST_VECS, &remote) : 0;
    if (rc == 0 && here.left && has_bytes(remote, (u32)a[4])) {
        rc = remote_mm(t, (s32)a[0], &mm);
        if (rc == 0) {
            uio_init(&there, mm, remote, (u32)a[4]);
            rc = write ? copy(t, &here, &there) : copy(t, &there, &here);
        }
    }
    if (local != fast[0])
        free(local);
    if (remote != fast[1])
        free(remote);
    return rc;
}

s64 sys_process_vm_readv(struct task *t, const u64 a[6])
{
    return process_vm(t, a, false);
}

s64 sys_process_vm_writev(struct task *t, const u64 a[6])
{
    return process_vm(t, a, true);
}

/* --- kcmp --- */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM,
       KCMP_EPOLL_TFD };

/* file_of() - a task's descriptor, a new reference; NULL: none. */
static struct file *file_of(struct task *of, u32 fd)
{
    struct fdtable *files;
    struct file *f;

    mutex_lock(&of->lock);
    files = fdtable_get(of->files);
    mutex_unlock(&of->lock);
    f = files ? fd_get(files, (s32)fd) : NULL;
    fdtable_put(files);
    return f;
}

/* file_id() - of a task's descriptor. Return: 0, -EBADF. */
static int file_id(struct task *of, u64 fd, u64 *id)
{
    auto_put(file) struct file *f = file_of(of, (u32)fd);

    if (!f)
        return -EBADF;
    *id = f->obj.id;
    return 0;
}

/* target_id() - what an epoll instance of a task watches; `slot` is the guest's struct
 * kcmp_epoll_slot. Return: 0, -EFAULT, -EBADF, -EINVAL (no instance), -ENOENT. */
static int target_id(struct task *t, struct task *of, uaddr_t slot, u64 *id)
{
    struct { u32 epoll, fd, nth; } s;
    auto_put(file) struct file *f = NULL;
    int rc = usermem_in(t->mm, &s, slot, sizeof(s));

    if (rc < 0)
        return rc;
    f = file_of(of, s.epoll);
    if (!f)
        return -EBADF;
    return epoll_is(f) ? epoll_target_id(f, (s32)s.fd, s.nth, id) : -EINVAL;
}

/* object_id() - of what a task has of a kind; 0: none. Return: 0, -EBADF, -EINVAL. */
static int object_id(struct task *of, u32 type, u64 fd, u64 *id)
{
    *id = 0;
    if (type == KCMP_FILE)
        return file_id(of, fd, id);
    if (type == KCMP_SIGHAND) {
        mutex_lock(&of->tg->lock);
        *id = of->tg->sighand->obj.id;
        mutex_unlock(&of->tg->lock);
        return 0;
    }
    if (type == KCMP_SYSVSEM) {
        *id = sem_undo_id(of);
        return 0;
    }
    mutex_lock(&of->lock);
    if (type == KCMP_VM && of->mm)
        *id = of->mm->obj.id;
    else if (type == KCMP_FILES && of->files)
        *id = of->files->obj.id;
    else if (type == KCMP_FS && of->fs)
        *id = of->fs->obj.id;
    mutex_unlock(&of->lock);
    return type <= KCMP_IO ? 0 : -EINVAL; /* nobody has an I/O context: all the same */
}

/* compare() - two tasks' objects, as kcmp(2) answers. */
static s64 compare(struct task *t, const u64 a[6], struct task *one, struct task *two)
{
    u32 type = (u32)a[2];
    u64 first, second;
    int rc;

    if (task_may_access(t, one, true) < 0 || task_may_access(t, two, true) < 0)
        return -EPERM;
    rc = object_id(one, type == KCMP_EPOLL_TFD ? KCMP_FILE : type, a[3], &first);
    if (rc == 0 && type == KCMP_EPOLL_TFD)
        rc = target_id(t, two, a[4], &second);
    else if (rc == 0)
        rc = object_id(two, type, a[4], &second);
    if (rc < 0)
        return rc;
    return first == second ? 0 : first < second ? 1 : 2;
}

s64 sys_kcmp(struct task *t, const u64 a[6])
{
    auto_put(task) struct task *one = pid_find_task(t->pid->ns, (s32)a[0]);
    auto_put(task) struct task *two = pid_find_task(t->pid->ns, (s32)a[1]);
    u64 first, second;
    s64 rc;

    if (!one || !two)
        return -ESRCH;
    do {
        first = task_mm_id(one);
        second = task_mm_id(two);
        rc = compare(t, a, one, two);
    } while (task_mm_id(one) != first || task_mm_id(two) != second);
    return rc;
}
