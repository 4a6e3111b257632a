/* --strace: arguments by the types that syscalls.def gives them. */
#include "sentry/abi/lx_fs.h"
#include "sentry/abi/lx_signal.h"
#include "sentry/abi/lx_socket.h"
#include "sentry/abi/lx_time.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/strace_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SHOW_BYTES   512 /* of one buffer at most, whatever the flag says: a line is bounded */
#define SHOW_STRINGS 16  /* of argv and envp */

/* What one argument is printed from. */
struct arg {
    struct task *t;
    const u64 *a;      /* all six */
    u64 v;             /* this one */
    const char *param; /* text in the type's brackets, or "" */
    const s64 *result; /* NULL: before the call */
    u32 log_size;
};

static void put_string(struct strace_line *l, struct mm *mm, uaddr_t at)
{
    char *buf = malloc(LIMIT_PATH);
    ssize_t n = buf ? usermem_string(mm, buf, at, LIMIT_PATH) : -1;

    if (n < 0)
        strace_put(l, "(bad)");
    else
        strace_put_bytes(l, (const u8 *)buf, min_of((size_t)n, (size_t)SHOW_BYTES),
                         (size_t)n > SHOW_BYTES);
    free(buf);
}

static void put_guest_bytes(struct strace_line *l, const struct arg *g, uaddr_t at, u64 len)
{
    u8 buf[SHOW_BYTES];
    u64 most = min_of(g->log_size, (u32)SHOW_BYTES);
    size_t n = min_of(len, most);
    ssize_t got = n ? usermem_read(g->t->mm, buf, at, n) : 0;

    if (got >= 0)
        strace_put_bytes(l, buf, (size_t)got, len > (u64)got);
}

/* buffer_len() - the length that IN(n), OUT(n) … refer to. */
static u64 buffer_len(const struct arg *g)
{
    long n = strtol(g->param, NULL, 10);

    if (n < 0)
        return g->result && *g->result > 0 ? (u64)*g->result : 0;
    return n >= 1 && n <= 6 ? g->a[n - 1] : 0;
}

static void put_in(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%#lx ", (long)g->v);
    put_guest_bytes(l, g, g->v, buffer_len(g));
}

static void put_out(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%#lx", (long)g->v);
    if (!g->result || *g->result < 0)
        return;
    strace_put(l, " ");
    put_guest_bytes(l, g, g->v, buffer_len(g));
}

static void put_iov(struct strace_line *l, const struct arg *g, u64 bytes)
{
    struct {
        u64 base, len;
    } v;
    u64 n = min_of(buffer_len(g), (u64)4);

    strace_put(l, "%#lx [", (long)g->v);
    for (u64 i = 0; i < n && usermem_get(g->t->mm, &v, g->v + i * sizeof(v)) == 0; i++) {
        strace_put(l, "%s{%#lx %lu ", i ? ", " : "", (long)v.base, (long)v.len);
        put_guest_bytes(l, g, v.base, min_of(v.len, bytes));
        strace_put(l, "}");
        bytes -= min_of(v.len, bytes);
    }
    strace_put(l, "%s]", n < buffer_len(g) ? ", …" : "");
}

static void put_iov_in(struct strace_line *l, const struct arg *g)
{
    put_iov(l, g, UINT64_MAX);
}

static void put_iov_out(struct strace_line *l, const struct arg *g)
{
    put_iov(l, g, g->result && *g->result > 0 ? (u64)*g->result : 0);
}

static void put_strv(struct strace_line *l, const struct arg *g)
{
    u64 p;

    strace_put(l, "%#lx [", (long)g->v);
    for (u32 i = 0; g->v && usermem_get(g->t->mm, &p, g->v + 8ull * i) == 0 && p; i++) {
        if (i == SHOW_STRINGS) {
            strace_put(l, ", …");
            break;
        }
        strace_put(l, "%s", i ? ", " : "");
        put_string(l, g->t->mm, p);
    }
    strace_put(l, "]");
}

static void put_fd(struct strace_line *l, const struct arg *g)
{
    if ((s32)g->v == LX_AT_FDCWD)
        strace_put(l, "AT_FDCWD");
    else
        strace_put(l, "%d", (s32)g->v);
}

static void put_path(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%#lx ", (long)g->v);
    put_string(l, g->t->mm, g->v);
}

static void put_hex(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%#lx", (long)g->v);
}

static void put_int(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%d", (s32)g->v);
}

static void put_uint(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%u", (u32)g->v);
}

static void put_long(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%ld", (long)g->v);
}

static void put_mode(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "0o%o", (u32)g->v);
}

static void put_signo(struct strace_line *l, const struct arg *g)
{
    const char *name = sigabbrev_np((s32)g->v);

    if (name)
        strace_put(l, "SIG%s", name);
    else
        strace_put(l, "%d", (s32)g->v);
}

static void put_flags(struct strace_line *l, const struct arg *g)
{
    strace_put_flags(l, g->param, g->v);
}

static void put_pair(struct strace_line *l, const struct arg *g, const char *second)
{
    struct lx_timespec ts;

    strace_put(l, "%#lx", (long)g->v);
    if (g->v && usermem_get(g->t->mm, &ts, g->v) == 0)
        strace_put(l, " {sec=%ld %s=%ld}", (long)ts.sec, second, (long)ts.nsec);
}

static void put_timespec_arg(struct strace_line *l, const struct arg *g)
{
    put_pair(l, g, "nsec");
}

static void put_timeval_arg(struct strace_line *l, const struct arg *g)
{
    put_pair(l, g, "usec");
}

static void put_sigset(struct strace_line *l, const struct arg *g)
{
    u64 set;

    strace_put(l, "%#lx", (long)g->v);
    if (!g->v || usermem_get(g->t->mm, &set, g->v) < 0)
        return;
    strace_put(l, " [");
    for (int s = 1, first = 1; s <= LX_NSIG; s++) {
        if (!(set & (1ull << (s - 1))))
            continue;
        if (sigabbrev_np(s))
            strace_put(l, "%s%s", first ? "" : " ", sigabbrev_np(s));
        else
            strace_put(l, "%s%d", first ? "" : " ", s);
        first = 0;
    }
    strace_put(l, "]");
}

static void put_sigaction(struct strace_line *l, const struct arg *g)
{
    struct lx_sigaction sa;

    strace_put(l, "%#lx", (long)g->v);
    if (g->v && usermem_get(g->t->mm, &sa, g->v) == 0)
        strace_put(l, " {handler=%#lx flags=%#lx mask=%#lx}", (long)sa.handler, (long)sa.flags,
                   (long)sa.mask);
}

static void put_stat(struct strace_line *l, const struct arg *g)
{
    struct lx_stat st;

    strace_put(l, "%#lx", (long)g->v);
    if (g->result && *g->result == 0 && usermem_get(g->t->mm, &st, g->v) == 0)
        strace_put(l, " {dev=%lu, ino=%lu, mode=0o%o, nlink=%lu, uid=%u, gid=%u, size=%ld}",
                   (long)st.dev, (long)st.ino, st.mode, (long)st.nlink, st.uid, st.gid,
                   (long)st.size);
}

/* put_sockaddr_in() - the length stands in the argument that the type names. */
static void put_sockaddr_in(struct strace_line *l, const struct arg *g)
{
    strace_put(l, "%#lx", (long)g->v);
    if (g->v)
        strace_put_sockaddr(l, g->t->mm, g->v, buffer_len(g));
}

static void put_sockaddr_out(struct strace_line *l, const struct arg *g)
{
    u32 len;

    strace_put(l, "%#lx", (long)g->v);
    if (g->v && g->result && *g->result >= 0 && usermem_get(g->t->mm, &len, buffer_len(g)) == 0)
        strace_put_sockaddr(l, g->t->mm, g->v, len);
}

/* put_msghdr() - its data up to `bytes`. */
static void put_msghdr(struct strace_line *l, const struct arg *g, bool sending)
{
    struct lx_msghdr h;
    struct arg iov = *g;
    u64 a[6] = {0};

    strace_put(l, "%#lx", (long)g->v);
    if ((!sending && (!g->result || *g->result < 0)) || usermem_get(g->t->mm, &h, g->v) < 0)
        return;
    strace_put(l, " {name=%#lx", (long)h.name);
    if (h.name && h.namelen > 0)
        strace_put_sockaddr(l, g->t->mm, h.name, (u32)h.namelen);
    strace_put(l, ", iov=");
    a[0] = h.iovlen;
    iov.a = a;
    iov.v = h.iov;
    iov.param = "1";
    put_iov(l, &iov, sending ? UINT64_MAX : (u64)*g->result);
    strace_put(l, ", controllen=%lu", (long)h.controllen);
    if (!sending) {
        strace_put(l, ", flags=");
        strace_put_flags(l, "msg", h.flags);
    }
    strace_put(l, "}");
}

static void put_msghdr_in(struct strace_line *l, const struct arg *g)
{
    put_msghdr(l, g, true);
}

static void put_msghdr_out(struct strace_line *l, const struct arg *g)
{
    put_msghdr(l, g, false);
}

static const struct {
    const char *name;
    void (*put)(struct strace_line *l, const struct arg *g);
} types[] = {
    {"FD", put_fd},
    {"PATH", put_path},
    {"STR", put_path},
    {"PTR", put_hex},
    {"HEX", put_hex},
    {"INT", put_int},
    {"UINT", put_uint},
    {"SIZE", put_long},
    {"OFF", put_long},
    {"MODE", put_mode},
    {"SIGNO", put_signo},
    {"PID", put_int},
    {"FLAGS", put_flags},
    {"IN", put_in},
    {"OUT", put_out},
    {"IOV_IN", put_iov_in},
    {"IOV_OUT", put_iov_out},
    {"TIMESPEC", put_timespec_arg},
    {"TIMEVAL", put_timeval_arg},
    {"SIGSET", put_sigset},
    {"SIGACTION", put_sigaction},
    {"STAT", put_stat},
    {"STRV", put_strv},
    {"SOCKADDR", put_sockaddr_in},
    {"SOCKADDR_OUT", put_sockaddr_out},
    {"MSGHDR_IN", put_msghdr_in},
    {"MSGHDR_OUT", put_msghdr_out},
};

/* put_one() - argument `g` of type `type`; a type that is not known prints as a number. */
static void put_one(struct strace_line *l, const char *type, const struct arg *g)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(types[i].name, type) == 0) {
            types[i].put(l, g);
            return;
        }
    }
    put_hex(l, g);
}

/* next_word() - copy one word "name:TYPE(param)" apart. Return: what follows it. */
static const char *next_word(const char *p, char type[16], char param[16])
{
    size_t len = strcspn(p, " "), colon = strcspn(p, ":");
    const char *word = colon < len ? p + colon + 1 : p;
    size_t room = len - (size_t)(word - p), tlen = min_of(strcspn(word, "("), room);
    size_t plen = tlen < room ? strcspn(word + tlen + 1, ")") : 0;

    memset(type, 0, 16);
    memset(param, 0, 16);
    memcpy(type, word, min_of(tlen, (size_t)15));
    memcpy(param, word + tlen + (plen != 0), min_of(plen, (size_t)15));
    p += len;
    return p + strspn(p, " ");
}

void strace_put_args(struct strace_line *l, struct task *t, const char *arg_types, const u64 a[6],
                     const s64 *result, u32 log_size)
{
    char type[16], param[16];

    for (int i = 0; i < 6 && *arg_types; i++) {
        struct arg g = {.t = t, .a = a, .v = a[i], .result = result, .log_size = log_size};

        arg_types = next_word(arg_types, type, param);
        g.param = param;
        strace_put(l, "%s", i ? ", " : "");
        if (t->mm)
            put_one(l, type, &g);
        else
            put_hex(l, &g);
    }
}

void strace_put_bytes(struct strace_line *l, const u8 *p, size_t len, bool cut)
{
    strace_put(l, "\"");
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '\n')
            strace_put(l, "\\n");
        else if (p[i] == '"' || p[i] == '\\')
            strace_put(l, "\\%c", p[i]);
        else if (isprint(p[i]))
            strace_put(l, "%c", p[i]);
        else
            strace_put(l, "\\x%02x", p[i]);
    }
    strace_put(l, "\"%s", cut ? "…" : "");
}
