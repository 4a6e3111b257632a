/* Names of the system: uname(2), sethostname(2), setdomainname(2). */
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/abi/lx_system.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/uname.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* as_two_six() - for programs that know no number above 2.6: 4.4.0 is 2.6.64 (personality(2)). */
static void as_two_six(char release[UNAME_RELEASE])
{
    char old[UNAME_RELEASE], *rest;
    unsigned long minor;

    memcpy(old, release, sizeof(old));
    rest = old + strspn(old, "0123456789");
    minor = *rest == '.' ? strtoul(rest + 1, &rest, 10) : 0;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    snprintf(release, UNAME_RELEASE, "2.6.%lu%s", minor + 60, rest);
}

s64 sys_uname(struct task *t, const u64 a[6])
{
    struct uts_ns *uts = t->ns->uts;
    struct lx_utsname u = {
        .sysname = UNAME_SYSNAME, .version = UNAME_VERSION, .machine = UNAME_MACHINE};

    uname_release(t->tg->container, u.release);
    if (t->personality & LX_PER_UNAME26)
        as_two_six(u.release);
    mutex_lock(&uts->lock);
    memcpy(u.nodename, uts->nodename, sizeof(u.nodename));
    memcpy(u.domainname, uts->domainname, sizeof(u.domainname));
    mutex_unlock(&uts->lock);
    return usermem_put(t->mm, a[0], &u);
}

/* set_name() - replace one of the namespace's two names. */
static s64 set_name(struct task *t, char *name, u64 uname, u64 len)
{
    struct uts_ns *uts = t->ns->uts;
    char fresh[UTS_LEN] = {0};

    if (!cred_has_cap(task_cred(t), uts->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    if ((s32)len < 0 || (s32)len >= UTS_LEN)
        return -EINVAL;
    if (usermem_in(t->mm, fresh, uname, (size_t)(s32)len) < 0)
        return -EFAULT;
    mutex_lock(&uts->lock);
    memcpy(name, fresh, sizeof(fresh));
    mutex_unlock(&uts->lock);
    return 0;
}

s64 sys_sethostname(struct task *t, const u64 a[6])
{
    return set_name(t, t->ns->uts->nodename, a[0], a[1]);
}

s64 sys_setdomainname(struct task *t, const u64 a[6])
{
    return set_name(t, t->ns->uts->domainname, a[0], a[1]);
}
