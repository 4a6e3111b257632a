/* runsc list: the containers of a root folder. */
#include "cmd/runsc/container.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/table.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

enum { QUIET, FORMAT };

static const struct flag flags[] = {
    [QUIET] = {"quiet", FLAG_BOOL, "false", "only ids"},
    [FORMAT] = {"format", FLAG_STRING, "table", "table or json"},
};

/* owner_name() - of a uid, from /etc/passwd itself: a static binary has no name service. */
static void owner_name(u32 uid, char *name, size_t size)
{
    auto_free char *text = NULL;
    char *rest;

    snprintf(name, size, "#%u", uid);
    if (host_file_read(-1, "/etc/passwd", 1 << 20, &text, NULL))
        return;
    rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *user = strsep(&line, ":"), *number;

        strsep(&line, ":");
        number = strsep(&line, ":");
        if (number && *number && strtoul(number, NULL, 10) == uid) {
            snprintf(name, size, "%s", user);
            return;
        }
    }
}

static void add_row(struct table *table, const struct container *c, enum container_status status)
{
    char owner[64];

    owner_name(c->owner, owner, sizeof(owner));
    table_add(table, "%s", c->id);
    table_add(table, "%d", status == CONTAINER_STOPPED ? 0 : (int)c->sentry.pid);
    table_add(table, "%s", container_status_name(status));
    table_add(table, "%s", c->bundle);
    table_add(table, "%s", c->created);
    table_add(table, "%s", owner);
}

static void add_item(struct json_object *list, const struct container *c,
                     enum container_status status)
{
    struct json_object *item = container_state_json(c, status);
    char owner[64];

    owner_name(c->owner, owner, sizeof(owner));
    json_object_object_add(item, "owner", json_object_new_string(owner));
    json_object_array_add(list, item);
}

static void start_table(struct table *table)
{
    static const char *const heads[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};

    table->columns = ARRAY_SIZE(heads);
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        table_add(table, "%s", heads[i]);
}

/* collect() - each container into table and JSON; one that can't be read is left out, logged. */
static void collect(struct cli *cli, char **names, size_t count, struct table *table,
                    struct json_object *list)
{
    for (size_t i = 0; i < count; i++) {
        auto_container struct container *c = NULL;
        enum container_status status;

        if (container_open(cli->root, names[i], false, false, &c)) {
            log_warning("list: %s", error_text());
            continue;
        }
        status = container_status(c);
        add_row(table, c, status);
        add_item(list, c, status);
    }
}

static int list_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    const char *format = flag_text(set, FORMAT);
    bool json = strcmp(format, "json") == 0;
    struct json_object *list;
    struct table table = {0};
    char **names;
    size_t count;
    int r;

    if (!json && strcmp(format, "table") != 0)
        return error_set(-EINVAL, "list: there is no format '%s'; use table or json", format);
    r = container_names(cli->root, &names, &count);
    if (r)
        return r;
    list = json_object_new_array();
    start_table(&table);
    if (flag_bool(set, QUIET)) {
        for (size_t i = 0; i < count; i++)
            puts(names[i]);
    } else {
        collect(cli, names, count, &table, list);
        if (json)
            puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
                                                          JSON_C_TO_STRING_NOSLASHESCAPE));
        else
            table_print(stdout, &table, 12);
    }
    json_object_put(list);
    table_free(&table);
    host_file_names_free(names, count);
    return 0;
}

const struct verb list_verb = {
    .name = "list",
    .args = "",
    .help = "list containers",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .run = list_run,
};
