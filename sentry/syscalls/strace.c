/* --strace: switch, filter and lines; see strace.h. */
#include "sentry/syscalls/strace.h"

#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"
#include "sentry/syscalls/strace_priv.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

atomic_bool strace_on;

static u32 data_limit = 1024;
/* Calls that are not shown; written while strace_on is off. */
static bool hidden[SYSCALL_TABLE_SIZE];

static int find_row(const char *name, size_t len)
{
    for (int i = 0; i < SYSCALL_TABLE_SIZE; i++) {
        const char *n = syscall_table[i].name;

        if (n && strlen(n) == len && memcmp(n, name, len) == 0)
            return i;
    }
    return -EINVAL;
}

int strace_configure(bool on, const char *names, u32 log_size)
{
    bool all = !names || !names[0];

    atomic_store(&strace_on, false);
    memset(hidden, !all, sizeof(hidden));
    while (!all && *names) {
        size_t len = strcspn(names, ",");
        int nr = find_row(names, len);

        if (nr < 0)
            return nr;
        hidden[nr] = false;
        names += len + (names[len] == ',');
    }
    data_limit = log_size;
    atomic_store(&strace_on, on);
    return 0;
}

void strace_put(struct strace_line *l, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->len = min_of(l->len + (size_t)n, sizeof(l->text) - 1);
}

static void put_result(struct strace_line *l, s64 rc, u64 ns)
{
    static const char *const restarts[] = {
        [ERESTARTSYS] = "ERESTARTSYS",
        [ERESTARTNOINTR] = "ERESTARTNOINTR",
        [ERESTARTNOHAND] = "ERESTARTNOHAND",
        [ERESTART_RESTARTBLOCK] = "ERESTART_RESTARTBLOCK",
    };
    const char *name = NULL;

    if (rc < 0 && rc > -4096)
        name = -rc < (s64)ARRAY_SIZE(restarts) && restarts[-rc] ? restarts[-rc]
                                                                : strerrorname_np((int)-rc);
    if (name)
        strace_put(l, " = -%s", name);
    else if (rc < 0 || rc > 0xffffffff)
        strace_put(l, " = %#lx", (unsigned long)rc);
    else
        strace_put(l, " = %ld", (long)rc);
    strace_put(l, " (%lu.%luµs)", (unsigned long)(ns / 1000), (unsigned long)(ns % 1000 / 100));
}

static void put_call(struct strace_line *l, struct task *t, char mark, s64 nr,
                     const struct syscall_row *row, const u64 a[6], const s64 *result)
{
    l->len = 0;
    strace_put(l, "[%4d] %.15s %c ", t->pid->numbers[0].nr, t->comm, mark);
    if (row && row->name) {
        strace_put(l, "%s(", row->name);
        strace_put_args(l, t, row->args, a, result, data_limit);
    } else {
        strace_put(l, "syscall_%ld(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx", (long)nr, (long)a[0],
                   (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
    }
    strace_put(l, ")");
}

s64 strace_call(struct task *t, s64 nr, const struct syscall_row *row, const u64 a[6])
{
    bool show = log_enabled(LOG_LEVEL_INFO) && !(row && hidden[nr]);
    struct strace_line line;
    u64 start;
    s64 rc;

    if (show) {
        put_call(&line, t, 'E', nr, row, a, NULL);
        log_line(LOG_LEVEL_INFO, "%s", line.text);
    }
    start = host_monotonic();
    rc = row && row->fn ? row->fn(t, a) : -ENOSYS;
    if (show) {
        u64 ns = host_monotonic() - start;

        put_call(&line, t, 'X', nr, row, a, &rc);
        put_result(&line, rc, ns);
        log_line(LOG_LEVEL_INFO, "%s", line.text);
    }
    return rc;
}
