/* The table of global flags, made from global_flags.def, and the rules in its further columns. */
#include "cmd/runsc/global_flags.h"

#include "cmd/runsc/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct flag global_flags_table[GLOBAL_COUNT] = {
#define GLOBAL_FLAG(id, name, type, def, choices, unbuilt, open, help) \
    [GLOBAL_##id] = {name, FLAG_##type, def, help},
#include "cmd/runsc/global_flags.def"
#undef GLOBAL_FLAG
};

static const struct {
    const char *choices, *unbuilt, *open;
} rules[GLOBAL_COUNT] = {
#define GLOBAL_FLAG(id, name, type, def, choices, unbuilt, open, help) \
    [GLOBAL_##id] = {choices, unbuilt, open},
#include "cmd/runsc/global_flags.def"
#undef GLOBAL_FLAG
};

/* listed() - is the value in a list separated by '|', or the list "*"? */
static bool listed(const char *list, const char *value)
{
    size_t len = strlen(value);

    if (!list)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    for (;;) {
        size_t n = strcspn(list, "|");

        if (n == len && memcmp(list, value, n) == 0)
            return true;
        if (list[n] == '\0')
            return false;
        list += n + 1;
    }
}

/* plain() - a flag's value, a boolean spelled in the one way. */
static const char *plain(const struct flag_set *flags, size_t i)
{
    if (flags->table[i].type == FLAG_BOOL)
        return flag_bool(flags, i) ? "true" : "false";
    return flag_text(flags, i);
}

static int check(const struct flag_set *flags, size_t i)
{
    const char *value = plain(flags, i), *name = flags->table[i].name;

    if (rules[i].choices && !listed(rules[i].choices, value))
        return error_set(-EINVAL, "invalid value \"%s\" for flag -%s: use one of %s", value, name,
                         rules[i].choices);
    if (strcmp(value, flags->table[i].def) != 0 && listed(rules[i].unbuilt, value))
        return error_set(-EOPNOTSUPP, "not built yet: --%s=%s", name, value);
    return 0;
}

int global_flags_check(const struct flag_set *flags)
{
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        int r = check(flags, i);

        if (r)
            return r;
    }
    return 0;
}

int global_flags_annotation(struct flag_set *flags, const char *name, const char *value)
{
    bool any = flag_bool(flags, GLOBAL_ALLOW_FLAG_OVERRIDE); /* before it could be set here */
    int i = flag_find(flags, name), r;

    if (i < 0)
        return error_set(-EINVAL, "annotation dev.gvisor.flag.%s: there is no such flag", name);
    r = flag_assign(flags, name, value);
    if (r)
        return error_prefix(r, "annotation dev.gvisor.flag.%s: ", name);
    if (!any && !listed(rules[i].open, plain(flags, (size_t)i)))
        return error_set(-EPERM,
                         "annotation dev.gvisor.flag.%s: an annotation may not set this; "
                         "--allow-flag-override permits it",
                         name);
    return check(flags, (size_t)i);
}

const char *global_flags_root(const struct flag_set *flags)
{
    static char path[4096];
    const char *dir = getenv("XDG_RUNTIME_DIR");

    if (*flag_text(flags, GLOBAL_ROOT))
        return flag_text(flags, GLOBAL_ROOT);
    if (!dir || !*dir)
        return "/var/run/runsc";
    snprintf(path, sizeof(path), "%s/runsc", dir);
    return path;
}
