/* The mount table as text: /proc/PID/mounts and /proc/PID/mountinfo (proc(5)). */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *buf; /* owned */
    size_t len, cap;
    bool failed;
};

static char *text_room(struct text *t, size_t n)
{
    if (t->cap - t->len < n) {
        size_t cap = max_of(t->cap * 2, t->len + n);
        char *buf = realloc(t->buf, cap);

        if (!buf) {
            t->failed = true;
            return NULL;
        }
        t->buf = buf;
        t->cap = cap;
    }
    return t->buf + t->len;
}

static void text_add(struct text *t, const char *s)
{
    size_t n = strlen(s);
    char *to = text_room(t, n);

    if (to) {
        memcpy(to, s, n);
        t->len += n;
    }
}

static void PRINTF_LIKE(2, 3) text_print(struct text *t, const char *fmt, ...)
{
    char line[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    text_add(t, line);
}

/* text_escape() - a path or name, with what would end a field in octal. */
static void text_escape(struct text *t, const char *s)
{
    char *to = text_room(t, strlen(s) * 4);

    if (!to)
        return;
    for (; *s; s++) {
        if (strchr(" \t\n\\#", *s)) {
            *to++ = '\\';
            *to++ = (char)('0' + ((u8)*s >> 6));
            *to++ = (char)('0' + (((u8)*s >> 3) & 7));
            *to++ = (char)('0' + ((u8)*s & 7));
        } else {
            *to++ = *s;
        }
    }
    t->len = (size_t)(to - t->buf);
}

static void show_mount_flags(struct text *t, u32 flags)
{
    static const struct {
        u32 flag;
        const char *name;
    } names[] = {
        {LX_MS_NOSUID, ",nosuid"},           {LX_MS_NODEV, ",nodev"},
        {LX_MS_NOEXEC, ",noexec"},           {LX_MS_NOATIME, ",noatime"},
        {LX_MS_NODIRATIME, ",nodiratime"},   {LX_MS_RELATIME, ",relatime"},
        {LX_MS_NOSYMFOLLOW, ",nosymfollow"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].flag)
            text_add(t, names[i].name);
}

static void show_super(struct text *t, struct super *sb)
{
    char options[512];
    size_t n = 0;

    if (sb->mount_flags & LX_MS_SYNCHRONOUS)
        text_add(t, ",sync");
    if (sb->ops && sb->ops->show_options)
        n = sb->ops->show_options(sb, options, sizeof(options) - 1);
    options[n] = '\0';
    text_add(t, options);
}

static const char *rw(u32 flags)
{
    return flags & LX_MS_RDONLY ? "ro" : "rw";
}

static void show_line(struct text *t, struct mount *m, const char *place)
{
    text_escape(t, m->source);
    text_add(t, " ");
    text_escape(t, place);
    text_print(t, " %s %s", m->super->type->name, rw(m->flags | m->super->mount_flags));
    show_super(t, m->super);
    show_mount_flags(t, m->flags);
    text_add(t, " 0 0\n");
}

/* from_above() - the nearest group, of those that m follows, that has a member below `root` in m's
 * namespace; 0 if that is m's master, or there is none. */
static u32 from_above(const struct mount *m, const struct path *root)
{
    const struct mount_group *g = m->master;
    const struct mount *at;

    while (g) {
        list_for_each(at, &g->members, in_group) {
            struct path p = {(struct mount *)at, at->root};

            if (at->ns == m->ns && mount_reachable(&p, root))
                return g == m->master ? 0 : g->id;
        }
        g = list_entry(g->members.next, struct mount, in_group)->master;
    }
    return 0;
}

static void show_propagation(struct text *t, const struct mount *m, const struct path *root)
{
    u32 from = m->master ? from_above(m, root) : 0;

    if (m->group)
        text_print(t, " shared:%u", m->group->id);
    if (m->master)
        text_print(t, " master:%u", m->master->id);
    if (from)
        text_print(t, " propagate_from:%u", from);
    if (m->unbindable)
        text_add(t, " unbindable");
}

static void show_info(struct text *t, struct mount *m, const struct path *from, const char *place,
                      char *path)
{
    struct path root = {m, m->root}, top = {m, m->super->root};

    text_print(t, "%u %u %u:%u ", m->id, m->parent ? m->parent->id : m->id, m->super->dev_major,
               m->super->dev_minor);
    /* What of the super is seen: a path inside the super, so no mount is crossed. */
    root.mount = &(struct mount){.root = top.dentry};
    if (vfs_path_string(&root, NULL, path, LIMIT_PATH, false, NULL) < 0)
        path[0] = '\0';
    text_escape(t, path);
    text_add(t, " ");
    text_escape(t, place);
    text_print(t, " %s", rw(m->flags));
    show_mount_flags(t, m->flags);
    show_propagation(t, m, from);
    text_print(t, " - %s ", m->super->type->name);
    text_escape(t, m->source);
    text_print(t, " %s", rw(m->super->mount_flags));
    show_super(t, m->super);
    text_add(t, "\n");
}

static void show_stats(struct text *t, struct mount *m, const char *place)
{
    text_add(t, "device ");
    text_escape(t, m->source);
    text_add(t, " mounted on ");
    text_escape(t, place);
    text_print(t, " with fstype %s\n", m->super->type->name);
}

int mount_text(struct mount_ns *ns, const struct path *root, enum mount_format format, char **out,
               size_t *len)
{
    char *path = malloc(2 * LIMIT_PATH), *place;
    struct text t = {0};
    struct mount *m;

    if (!path)
        return -ENOMEM;
    place = path + LIMIT_PATH;
    text_room(&t, 1);
    rwlock_read(&mounts_lock);
    list_for_each(m, &ns->mounts, in_ns) {
        struct path p = {m, m->root};
        bool outside = false;

        if (vfs_path_string(&p, root, place, LIMIT_PATH, false, &outside) < 0 || outside)
            continue;
        if (format == MOUNT_FORMAT_MOUNTS)
            show_line(&t, m, place);
        else if (format == MOUNT_FORMAT_STATS)
            show_stats(&t, m, place);
        else
            show_info(&t, m, root, place, path);
    }
    rwlock_unlock(&mounts_lock);
    free(path);
    if (t.failed) {
        free(t.buf);
        return -ENOMEM;
    }
    *out = t.buf;
    *len = t.len;
    return 0;
}
