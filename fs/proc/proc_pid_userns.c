/* /proc/PID/uid_map, gid_map, setgroups: a process's user namespace (user_namespaces(7)). */
#include "fs/proc/proc_priv.h"

#include "sentry/abi/lx_cred.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* node_ns() - its namespace, a new reference; NULL: it is gone. */
static struct user_ns *node_ns(const struct proc_node *n)
{
    struct task *t = proc_task(n);
    struct cred *c = t ? task_cred_of(t) : NULL;
    struct user_ns *ns = c ? user_ns_get(c->user_ns) : NULL;

    cred_put(c);
    task_put(t);
    return ns;
}

/* --- maps --- */

/* show_map() - ids outside are those of the reader's namespace, or if that is the one shown, of the
 * one above it. */
static int show_map(const struct proc_node *n, struct proc_text *out, bool gid)
{
    auto_put(user_ns) struct user_ns *ns = node_ns(n);
    const struct user_ns *view;
    const struct id_map *m;

    if (!ns)
        return -ESRCH;
    view = current ? task_cred(current)->user_ns : ns;
    if (view == ns && ns->parent)
        view = ns->parent;
    m = gid ? &ns->gid_map : &ns->uid_map;
    for (u32 i = 0; i < m->n; i++) {
        u32 id = m->extents[i].outside;

        if (ns->parent)
            id = gid ? gid_try_from_kgid(view, gid_to_kgid(ns->parent, id))
                     : uid_try_from_kuid(view, uid_to_kuid(ns->parent, id));
        proc_printf(out, "%10u %10u %10u\n", m->extents[i].inside, id, m->extents[i].count);
    }
    return 0;
}

int proc_show_pid_uid_map(const struct proc_node *n, struct proc_text *out)
{
    return show_map(n, out, false);
}

int proc_show_pid_gid_map(const struct proc_node *n, struct proc_text *out)
{
    return show_map(n, out, true);
}

/* parse_id() - a decimal number with blanks before it. Return: 0, -EINVAL. */
static int parse_id(const char **text, u32 *out)
{
    const char *p = *text + strspn(*text, " \t");
    u32 v = 0;

    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (u32)(*p - '0'), &v))
            return -EINVAL;
    *text = p;
    *out = v;
    return 0;
}

/* parse_map() - lines of three numbers. Return: how many, -EINVAL. */
static int parse_map(const char *text, struct id_extent *e)
{
    int n = 0;

    while (*text) {
        if (n == LIMIT_ID_EXTENTS || parse_id(&text, &e[n].inside) < 0 ||
            (*text != ' ' && *text != '\t') || parse_id(&text, &e[n].outside) < 0 ||
            (*text != ' ' && *text != '\t') || parse_id(&text, &e[n].count) < 0)
            return -EINVAL;
        text += strspn(text, " \t");
        if (*text && *text != '\n')
            return -EINVAL;
        text += *text == '\n';
        n++;
    }
    return n ? n : -EINVAL;
}

static int store_map(const struct proc_node *n, const struct cred *opener, const char *text,
                     size_t len, bool gid)
{
    auto_put(user_ns) struct user_ns *ns = node_ns(n);
    struct id_extent *e;
    int count, err;

    if (!ns || !current)
        return -ESRCH;
    if (strlen(text) != len)
        return -EINVAL;
    e = calloc(LIMIT_ID_EXTENTS, sizeof(*e));
    if (!e)
        return -ENOMEM;
    count = parse_map(text, e);
    err = count < 0 ? count : user_ns_set_map(ns, gid, e, (u32)count, opener, task_cred(current));
    if (err)
        free(e);
    return err;
}

int proc_store_pid_uid_map(const struct proc_node *n, const struct cred *opener, const char *text,
                           size_t len)
{
    return store_map(n, opener, text, len, false);
}

int proc_store_pid_gid_map(const struct proc_node *n, const struct cred *opener, const char *text,
                           size_t len)
{
    return store_map(n, opener, text, len, true);
}

/* --- setgroups --- */

int proc_show_pid_setgroups(const struct proc_node *n, struct proc_text *out)
{
    auto_put(user_ns) struct user_ns *ns = node_ns(n);

    if (!ns)
        return -ESRCH;
    proc_puts(out, atomic_load(&ns->setgroups_denied) ? "deny\n" : "allow\n");
    return 0;
}

int proc_store_pid_setgroups(const struct proc_node *n, const struct cred *opener, const char *text,
                             size_t len)
{
    auto_put(user_ns) struct user_ns *ns = node_ns(n);
    bool allow = !strncmp(text, "allow", 5), deny = !strncmp(text, "deny", 4);
    const char *rest = text + (allow ? 5 : 4);

    if (!ns)
        return -ESRCH;
    if (!allow && !deny)
        return -EINVAL;
    if (rest[strspn(rest, " \t\n")])
        return -EINVAL;
    if (!cred_has_cap(opener, ns, LX_CAP_SYS_ADMIN))
        return -EACCES;
    if (deny)
        return user_ns_deny_setgroups(ns);
    return atomic_load(&ns->setgroups_denied) ? -EPERM : 0;
}
