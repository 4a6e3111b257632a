/*
 * linux.sysctl: settings of /proc/sys that a container begins with. They are written as its root would
 * write them, by a task that never runs: what the files' functions ask of the calling task is there.
 * What this kernel has no setting for is refused as a bad value is: nothing is left out silently.
 */
#include "sentry/boot.h"

#include "fs/proc/proc.h"
#include "sentry/base/clean.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* set_one() - Return: 0, -errno with *err. */
static int set_one(const struct oci_pair *p, struct oci_error *err)
{
    int rc = proc_sysctl_set(p->key, p->value);

    if (rc == -ENOENT || rc == -EACCES)
        snprintf(err->text, sizeof(err->text), "config.json: linux.sysctl: %.100s %s in a sandbox",
                 p->key, rc == -ENOENT ? "does not exist" : "can't be set");
    else if (rc < 0)
        snprintf(err->text, sizeof(err->text),
                 "config.json: linux.sysctl: %.100s can't be \"%.60s\": %s", p->key, p->value,
                 strerror(-rc));
    return rc;
}

int boot_sysctls(struct container *c, const struct oci_spec *spec, struct oci_error *err)
{
    const struct oci_map *map = &spec->linux_.sysctl;
    auto_put(nsproxy) struct nsproxy *ns = NULL;
    auto_put(cred) struct cred *root = NULL;
    auto_free struct task *writer = NULL;
    int rc = 0;

    if (!map->count)
        return 0;
    ns = nsproxy_new(&(struct nsproxy){.mount = c->mount_ns, .uts = c->uts_ns, .net = c->net_ns,
                                       .ipc = c->ipc_ns, .cgroup = c->cgroup_ns,
                                       .pid_for_children = c->pid_ns});
    root = cred_root(c->user_ns);
    writer = calloc(1, sizeof(*writer));
    if (!ns || !root || !writer)
        return -ENOMEM;
    writer->ns = ns;
    writer->cred = root;
    current = writer;
    for (size_t i = 0; i < map->count && rc == 0; i++)
        rc = set_one(&map->items[i], err);
    current = NULL;
    return rc;
}
