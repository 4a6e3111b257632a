/* memfd_create(2). */
#include "fs/tmpfs/memfd.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>

s64 sys_memfd_create(struct task *t, const u64 a[6])
{
    u32 flags = (u32)a[1], all = LX_MFD_CLOEXEC | LX_MFD_ALLOW_SEALING | LX_MFD_HUGETLB |
                                 LX_MFD_NOEXEC_SEAL | LX_MFD_EXEC;
    char name[LX_MFD_NAME_MAX + 1];
    struct file *f;
    s64 rc;

    if (flags & ~(flags & LX_MFD_HUGETLB ? all | LX_MFD_HUGE_BITS : all))
        return -EINVAL;
    if ((flags & LX_MFD_EXEC) && (flags & LX_MFD_NOEXEC_SEAL))
        return -EINVAL;
    rc = usermem_string(t->mm, name, a[0], sizeof(name));
    if (rc < 0)
        return rc == -ENAMETOOLONG ? -EINVAL : rc;
    /* As on a kernel without hugetlbfs. */
    if (flags & LX_MFD_HUGETLB)
        return -ENOSYS;
    rc = memfd_new(name, flags, task_cred(t), &f);
    return rc < 0 ? rc : install_fd(t, f, flags & LX_MFD_CLOEXEC ? LX_O_CLOEXEC : 0);
}
