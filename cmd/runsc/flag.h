/* Command line flags: tables of them, parsing, values. Flags are -x or --x, as callers expect. */
#pragma once

#include "sentry/base/types.h"

#include <stdio.h>

enum flag_type {
    FLAG_BOOL,   /* -x or -x=false */
    FLAG_STRING, /* -x=value or -x value; the last one counts */
    FLAG_INT,    /* the same, a decimal number */
    FLAG_LIST,   /* may be repeated; each value is kept */
};

struct flag {
    const char *name;
    enum flag_type type;
    const char *def; /* default, as text */
    const char *help;
};

/* Values of one table; strings are borrowed from argv or the table. */
struct flag_set {
    const struct flag *table;
    size_t count;
    struct flag_value *values;
};

/* flag_set_init() - all flags at their defaults. Return: 0, -ENOMEM. */
int flag_set_init(struct flag_set *set, const struct flag *table, size_t count);
void flag_set_free(struct flag_set *set);

/*
 * flag_parse() - takes flags from argv[0] on, up to the first argument that is none or a "--".
 * Return: number of arguments taken; -EINVAL with the error set (error.h); -ECANCELED for -h,
 * -help.
 */
int flag_parse(struct flag_set *set, int argc, char **argv);

/* flag_assign() - sets one flag by name; the value is borrowed. Return: 0, -EINVAL, error set. */
int flag_assign(struct flag_set *set, const char *name, const char *value);

/* flag_find() - index of a flag, or -ENOENT. */
int flag_find(const struct flag_set *set, const char *name);

/* Values by index in the table. flag_list() ends with NULL. */
const char *flag_text(const struct flag_set *set, size_t index);
bool flag_bool(const struct flag_set *set, size_t index);
s64 flag_int(const struct flag_set *set, size_t index);
const char *const *flag_list(const struct flag_set *set, size_t index, size_t *count);
/* flag_given() - was it on the command line? */
bool flag_given(const struct flag_set *set, size_t index);

/* flag_print() - the table for people, two lines a flag. */
void flag_print(FILE *out, const struct flag *table, size_t count);
