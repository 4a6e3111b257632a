/*
 * runsc ps: the processes of a container. The table shows what the container sees; JSON is the
 * host's pids of the processes that hold them, which callers look for in the host's own ps.
 */
#include "cmd/runsc/cgroup.h"
#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/process_children.h"
#include "cmd/runsc/table.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

enum { FORMAT };

static const struct flag flags[] = {
    [FORMAT] = {"format", FLAG_STRING, "table", "table or json"},
};

/* A sandbox has no more processes than it has pids. */
#define PAGES_MAX 1024

static s64 number(struct json_object *item, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(item, name, &value);
    return json_object_get_int64(value);
}

static const char *text(struct json_object *item, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(item, name, &value);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "?";
}

/* next_page() - appends one reply's processes to @all. Return: 1 if there are more, 0, or error. */
static int next_page(const struct container *c, int sock, struct json_object *all, s64 *after)
{
    auto_control_msg struct control_msg request = {0}, reply = {0};
    struct json_object *list;
    bool more = false;
    size_t n;
    int r = control_client_request(c, &request, "ps");

    if (!r)
        r = control_msg_set_int(&request, "after", *after);
    if (!r)
        r = control_client_call(c, sock, &request, &reply, -1);
    if (r)
        return r;
    list = control_msg_get(&reply, "processes");
    if (!json_object_is_type(list, json_type_array))
        return error_set(-EBADMSG, "container \"%s\": the sandbox's list of processes is none",
                         c->id);
    n = json_object_array_length(list);
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);

        *after = max_of(*after, number(item, "pid"));
        json_object_array_add(all, json_object_get(item));
    }
    control_msg_get_bool(&reply, "more", &more);
    return more && n > 0;
}

static int fetch(const struct container *c, struct json_object *all)
{
    auto_fd int sock = control_client_connect(c);
    s64 after = 0;
    int r = sock < 0 ? sock : 1;

    for (int i = 0; r == 1 && i < PAGES_MAX; i++)
        r = next_page(c, sock, all, &after);
    return r < 0 ? r : 0;
}

/* wanted() - does one of the processes live in the host process of that inner pid? */
static bool wanted(struct json_object *all, pid_t inner)
{
    for (size_t i = 0; i < json_object_array_length(all); i++)
        if (number(json_object_array_get_idx(all, i), "hostPid") == inner)
            return true;
    return false;
}

/* host_pids() - host pids of all the processes, through the members of the container's cgroup. */
static int host_pids(const struct container *c, struct json_object *all, struct json_object *out)
{
    auto_free pid_t *pids = NULL;
    size_t count = 0;
    int r = cgroup_members(c, &pids, &count);

    if (r == -ENOENT)
        r = process_children(c->sentry.pid, &pids, &count);
    if (r)
        return error_errno(r, "container \"%s\": can't read its host processes", c->id);
    for (size_t i = 0; i < count; i++) {
        pid_t inner;

        if (pids[i] == c->sentry.pid || pids[i] == c->gofer.pid)
            continue;
        inner = process_inner_pid(pids[i]);
        if (inner > 0 && wanted(all, inner))
            json_object_array_add(out, json_object_new_int(pids[i]));
    }
    return 0;
}

/* start_column() - today's time, else the date, as ps(1) has it. */
static void start_column(time_t start, char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&start, &tm);
    strftime(out, size, now - start < 24 * 3600 ? "%H:%M" : "%b%d", &tm);
}

/* clean() - a command's name comes from inside: nothing that a terminal would act upon. */
static void clean(const char *in, char *out, size_t size)
{
    size_t at = 0;

    for (; *in && at + 1 < size; in++)
        out[at++] = (unsigned char)*in < 0x20 || *in == 0x7f ? '?' : *in;
    out[at] = '\0';
}

static void print_table(struct json_object *all)
{
    static const char *const heads[] = {"UID", "PID",   "PPID", "PGID", "C",
                                        "TTY", "STIME", "TIME", "CMD"};
    struct table table = {.columns = ARRAY_SIZE(heads)};

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        table_add(&table, "%s", heads[i]);
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *item = json_object_array_get_idx(all, i);
        s64 ms = number(item, "time"), start = number(item, "stime");
        s64 age = (s64)time(NULL) - start;
        char when[32], cmd[256], tty[32];

        start_column((time_t)start, when, sizeof(when));
        clean(text(item, "cmd"), cmd, sizeof(cmd));
        clean(text(item, "tty"), tty, sizeof(tty));
        table_add(&table, "%lld", (long long)number(item, "uid"));
        table_add(&table, "%lld", (long long)number(item, "pid"));
        table_add(&table, "%lld", (long long)number(item, "ppid"));
        table_add(&table, "%lld", (long long)number(item, "pgid"));
        table_add(&table, "%lld", (long long)(age > 0 ? min_of(ms / 10 / age, (s64)99) : 0));
        table_add(&table, "%s", tty);
        table_add(&table, "%s", when);
        table_add(&table, "%lld.%03llds", (long long)ms / 1000, (long long)ms % 1000);
        table_add(&table, "%s", cmd);
    }
    table_print(stdout, &table, 0);
    table_free(&table);
}

static int ps_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    const char *format = flag_text(set, FORMAT);
    bool json = strcmp(format, "json") == 0;
    auto_container struct container *c = NULL;
    struct json_object *all, *pids;
    int r;

    if (!json && strcmp(format, "table") != 0)
        return error_set(-EINVAL, "ps: there is no format '%s'; use table or json", format);
    r = container_open(cli->root, argv[0], false, false, &c);
    if (!r)
        r = container_require(
            c, 1u << CONTAINER_CREATED | 1u << CONTAINER_RUNNING | 1u << CONTAINER_PAUSED, "ps");
    if (r)
        return r;
    all = json_object_new_array();
    pids = json_object_new_array();
    r = fetch(c, all);
    if (!r && json)
        r = host_pids(c, all, pids);
    if (!r && json)
        puts(json_object_to_json_string_ext(pids, JSON_C_TO_STRING_PLAIN));
    else if (!r)
        print_table(all);
    json_object_put(all);
    json_object_put(pids);
    return r;
}

const struct verb ps_verb = {
    .name = "ps",
    .args = "<container id>",
    .help = "list a container's processes",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .min_args = 1,
    .max_args = 1,
    .run = ps_run,
};
