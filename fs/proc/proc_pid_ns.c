/* /proc/PID/ns: the namespaces of a process as links to files (namespaces(7)). */
#include "fs/proc/proc_priv.h"

#include "fs/nsfs/nsfs.h"
#include "fs/vfs/file.h"
#include "fs/vfs/namei.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* node_ns() - the namespace that a link stands for: a new reference. Return: 0, errno. */
static int node_ns(const struct proc_node *n, enum ns_kind *kind, struct obj **out)
{
    bool children = !strcmp(n->entry->name, "pid_for_children");
    struct task *t = proc_task(n);

    *kind = NS_KINDS;
    for (int k = 0; k < NS_KINDS; k++)
        if (!strcmp(n->entry->name, children ? "pid_for_children" : ns_name((enum ns_kind)k)))
            *kind = children ? NS_PID : (enum ns_kind)k;
    if (!t || *kind == NS_KINDS) {
        task_put(t);
        return -ESRCH;
    }
    *out = ns_of(t, *kind, children);
    task_put(t);
    return *out ? 0 : -ENOENT;
}

static ssize_t ns_readlink(const struct proc_node *n, char *buf, size_t cap)
{
    enum ns_kind kind;
    struct obj *ns;
    char text[48];
    int len = node_ns(n, &kind, &ns);

    if (len < 0)
        return len;
    len = snprintf(text, sizeof(text), "%s:[%llu]", ns_name(kind),
                   (unsigned long long)ns_ino(kind, ns));
    obj_put_(ns);
    len = min_of(len, (int)cap);
    memcpy(buf, text, (size_t)len);
    return len;
}

static int ns_follow(const struct proc_node *n, struct path *out)
{
    enum ns_kind kind;
    struct obj *ns;
    struct file *f;
    int err = node_ns(n, &kind, &ns);

    if (!err)
        err = nsfs_file(kind, ns, task_cred(current), &f);
    if (err)
        return err;
    *out = path_get(&f->path);
    file_put(f);
    return 0;
}

#define NS(text)                                                                                 \
    {                                                                                            \
        .name = text, .mode = LX_S_IFLNK | 0777, .flags = PROC_INSPECT, .readlink = ns_readlink, \
        .follow = ns_follow                                                                      \
    }

const struct proc_entry proc_ns_children[] = {NS("cgroup"), NS("ipc"), NS("mnt"),
                                              NS("net"),    NS("pid"), NS("pid_for_children"),
                                              NS("user"),   NS("uts"), {0}};
