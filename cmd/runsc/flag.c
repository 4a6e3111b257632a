/* Parses flags as Go's flag package does, for that is what callers of an OCI runtime expect. */
#include "cmd/runsc/flag.h"

#include "cmd/runsc/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct flag_value {
    const char *text;
    bool given;
    const char **list; /* ends with NULL */
    size_t list_count;
};

int flag_set_init(struct flag_set *set, const struct flag *table, size_t count)
{
    *set = (struct flag_set){.table = table, .count = count};
    set->values = calloc(count ? count : 1, sizeof(*set->values));
    if (!set->values)
        return error_set(-ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        set->values[i].text = table[i].def;
    return 0;
}

void flag_set_free(struct flag_set *set)
{
    for (size_t i = 0; i < set->count && set->values; i++)
        free(set->values[i].list);
    free(set->values);
    set->values = NULL;
}

int flag_find(const struct flag_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->table[i].name, name) == 0)
            return (int)i;
    return -ENOENT;
}

/* parse_bool() - Go's ParseBool. Return: 0, 1, or -EINVAL. */
static int parse_bool(const char *text)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (strcmp(text, yes[i]) == 0)
            return 1;
        if (strcmp(text, no[i]) == 0)
            return 0;
    }
    return -EINVAL;
}

static bool parse_int(const char *text, s64 *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static int append(struct flag_value *value, const char *text)
{
    const char **list = reallocarray(value->list, value->list_count + 2, sizeof(*list));

    if (!list)
        return error_set(-ENOMEM, "out of memory");
    list[value->list_count++] = text;
    list[value->list_count] = NULL;
    value->list = list;
    return 0;
}

static int assign(struct flag_set *set, size_t index, const char *text)
{
    const struct flag *flag = &set->table[index];
    struct flag_value *value = &set->values[index];
    s64 number;

    if (flag->type == FLAG_BOOL && parse_bool(text) < 0)
        return error_set(-EINVAL, "invalid boolean value \"%s\" for -%s: use true or false", text,
                         flag->name);
    if (flag->type == FLAG_INT && !parse_int(text, &number))
        return error_set(-EINVAL, "invalid value \"%s\" for flag -%s: use a number", text,
                         flag->name);
    value->given = true;
    value->text = text;
    return flag->type == FLAG_LIST ? append(value, text) : 0;
}

int flag_assign(struct flag_set *set, const char *name, const char *value)
{
    int index = flag_find(set, name);

    if (index < 0)
        return error_set(-EINVAL, "flag provided but not defined: -%s", name);
    return assign(set, (size_t)index, value);
}

/* parse_one() - argv[0], a flag, and perhaps its value. Return: how many arguments it took. */
static int parse_one(struct flag_set *set, int argc, char **argv)
{
    const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1), *value;
    size_t len = strcspn(name, "=");
    char plain[64];
    int index, r;

    snprintf(plain, sizeof(plain), "%.*s", (int)len, name);
    if (*name == '\0' || *name == '-' || *name == '=')
        return error_set(-EINVAL, "bad flag syntax: %s", argv[0]);
    index = flag_find(set, plain);
    if (index < 0 && (strcmp(plain, "help") == 0 || strcmp(plain, "h") == 0))
        return -ECANCELED;
    if (index < 0 || len >= sizeof(plain))
        return error_set(-EINVAL, "flag provided but not defined: -%s", plain);
    if (name[len] == '=')
        value = name + len + 1;
    else if (set->table[index].type == FLAG_BOOL)
        value = "true";
    else if (argc > 1)
        value = argv[1];
    else
        return error_set(-EINVAL, "flag needs an argument: -%s", plain);
    r = assign(set, (size_t)index, value);
    if (r)
        return r;
    return argc > 1 && value == argv[1] ? 2 : 1;
}

int flag_parse(struct flag_set *set, int argc, char **argv)
{
    int i = 0;

    while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
        int n;

        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        n = parse_one(set, argc - i, argv + i);
        if (n < 0)
            return n;
        i += n;
    }
    return i;
}

const char *flag_text(const struct flag_set *set, size_t index)
{
    return set->values[index].text;
}

bool flag_bool(const struct flag_set *set, size_t index)
{
    return parse_bool(set->values[index].text) == 1;
}

s64 flag_int(const struct flag_set *set, size_t index)
{
    s64 value = 0;

    parse_int(set->values[index].text, &value);
    return value;
}

const char *const *flag_list(const struct flag_set *set, size_t index, size_t *count)
{
    static const char *const none[] = {NULL};
    const struct flag_value *value = &set->values[index];

    *count = value->list_count;
    return value->list ? value->list : none;
}

bool flag_given(const struct flag_set *set, size_t index)
{
    return set->values[index].given;
}

void flag_print(FILE *out, const struct flag *table, size_t count)
{
    static const char *const types[] = {
        [FLAG_BOOL] = "", [FLAG_STRING] = " string", [FLAG_INT] = " int", [FLAG_LIST] = " value"};

    for (size_t i = 0; i < count; i++) {
        const struct flag *flag = &table[i];
        bool plain = flag->def[0] == '\0' || (flag->type == FLAG_BOOL && !parse_bool(flag->def));

        fprintf(out, "  -%s%s\n    \t%s", flag->name, types[flag->type], flag->help);
        if (!plain)
            fprintf(out, flag->type == FLAG_STRING ? " (default \"%s\")" : " (default %s)",
                    flag->def);
        fputc('\n', out);
    }
}
