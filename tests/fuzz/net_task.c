/* See net_task.h. */
#include "net_task.h"

#include "sentry/cred/cred.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/pid.h"

#include <assert.h>

struct net_ns *net_task(void)
{
    static struct thread_group group;
    static struct task task;
    struct user_ns *user_ns = user_ns_first();

    if (current)
        return current->ns->net;
    assert(user_ns && pid_alloc(pid_ns_new(NULL, user_ns), &group.pid) == 0);
    task.tg = &group;
    task.pid = group.pid;
    task.cred = cred_root(user_ns);
    task.files = fdtable_new();
    task.ns = nsproxy_new(&(struct nsproxy){.net = net_ns_new(user_ns)});
    assert(task.cred && task.files && task.ns && task.ns->net);
    task.ns->net->lo_up = true;
    mutex_init(&group.lock, LOCK_TGROUP);
    group.limits[LX_RLIMIT_NOFILE] = (struct rlimit_pair){64, 64};
    current = &task;
    return task.ns->net;
}
