/* Flags as Go's flag package takes them, and the rules of the global ones. */
#include "cmd/runsc/error.h"
#include "cmd/runsc/flag.h"
#include "cmd/runsc/global_flags.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUIET, NAME, COUNT, ITEM };

static const struct flag table[] = {
    [QUIET] = {"quiet", FLAG_BOOL, "false", ""},
    [NAME] = {"name", FLAG_STRING, "none", ""},
    [COUNT] = {"count", FLAG_INT, "-1", ""},
    [ITEM] = {"item", FLAG_LIST, "", ""},
};

static struct flag_set set;

static void setup(void)
{
    cr_assert_eq(flag_set_init(&set, table, ARRAY_SIZE(table)), 0);
}

static void teardown(void)
{
    flag_set_free(&set);
}

TestSuite(flag, .init = setup, .fini = teardown);

#define PARSE(...)                                       \
    ({                                                   \
        char *argv_[] = {__VA_ARGS__};                   \
        flag_parse(&set, (int)ARRAY_SIZE(argv_), argv_); \
    })

static char *s(const char *text)
{
    return (char *)(uintptr_t)text;
}

Test(flag, defaults)
{
    size_t n;

    cr_expect_not(flag_bool(&set, QUIET));
    cr_expect_str_eq(flag_text(&set, NAME), "none");
    cr_expect_eq(flag_int(&set, COUNT), -1);
    cr_expect_null(flag_list(&set, ITEM, &n)[0]);
    cr_expect_eq(n, 0);
    cr_expect_not(flag_given(&set, NAME));
}

Test(flag, forms)
{
    size_t n;

    cr_expect_eq(PARSE(s("-quiet"), s("--name"), s("x"), s("-count=7"), s("--item=a"), s("-item"),
                       s("b"), s("rest"), s("-quiet=false")),
                 7);
    cr_expect(flag_bool(&set, QUIET));
    cr_expect_str_eq(flag_text(&set, NAME), "x");
    cr_expect_eq(flag_int(&set, COUNT), 7);
    cr_expect_str_eq(flag_list(&set, ITEM, &n)[1], "b");
    cr_expect_eq(n, 2);
    cr_expect(flag_given(&set, NAME));
}

Test(flag, boolean_takes_no_argument)
{
    cr_expect_eq(PARSE(s("-quiet"), s("false")), 1);
    cr_expect(flag_bool(&set, QUIET));
    cr_expect_eq(PARSE(s("--quiet=F")), 1);
    cr_expect_not(flag_bool(&set, QUIET));
}

Test(flag, ends)
{
    cr_expect_eq(PARSE(s("--"), s("-quiet")), 1);
    cr_expect_eq(PARSE(s("-")), 0);
    cr_expect_eq(PARSE(s("--name="), s("-")), 1);
    cr_expect_str_eq(flag_text(&set, NAME), "");
    cr_expect_eq(PARSE(s("--name"), s("-quiet")), 2);
    cr_expect_str_eq(flag_text(&set, NAME), "-quiet");
}

Test(flag, errors)
{
    cr_expect_eq(PARSE(s("-nope")), -EINVAL);
    cr_expect_str_eq(error_text(), "flag provided but not defined: -nope");
    cr_expect_eq(PARSE(s("--name")), -EINVAL);
    cr_expect_str_eq(error_text(), "flag needs an argument: -name");
    cr_expect_eq(PARSE(s("-count=x")), -EINVAL);
    cr_expect_eq(PARSE(s("-count="), s("1")), -EINVAL);
    cr_expect_eq(PARSE(s("-quiet=maybe")), -EINVAL);
    cr_expect_eq(PARSE(s("---name")), -EINVAL);
    cr_expect_eq(PARSE(s("-=x")), -EINVAL);
    cr_expect_eq(PARSE(s("--help")), -ECANCELED);
}

Test(global_flags, defaults_are_all_right)
{
    struct flag_set global;

    cr_assert_eq(flag_set_init(&global, global_flags_table, GLOBAL_COUNT), 0);
    cr_expect_eq(global_flags_check(&global), 0, "%s", error_text());
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        cr_expect_not_null(global_flags_table[i].name);
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(global_flags_table[i].name, global_flags_table[j].name);
    }
    flag_set_free(&global);
}

Test(global_flags, choices_and_unbuilt)
{
    struct flag_set global;

    cr_assert_eq(flag_set_init(&global, global_flags_table, GLOBAL_COUNT), 0);
    flag_assign(&global, "network", "host");
    cr_expect_eq(global_flags_check(&global), -EOPNOTSUPP);
    cr_expect_str_eq(error_text(), "not built yet: --network=host");
    flag_assign(&global, "network", "bridge");
    cr_expect_eq(global_flags_check(&global), -EINVAL);
    cr_expect_str_eq(error_text(), "invalid value \"bridge\" for flag -network: use one of "
                                   "sandbox|host|none");
    flag_assign(&global, "network", "none");
    cr_expect_eq(global_flags_check(&global), 0);
    flag_assign(&global, "overlay2", "root:self");
    cr_expect_eq(global_flags_check(&global), -EOPNOTSUPP);
    flag_set_free(&global);
}

Test(global_flags, annotations)
{
    struct flag_set global;

    cr_assert_eq(flag_set_init(&global, global_flags_table, GLOBAL_COUNT), 0);
    cr_expect_eq(global_flags_annotation(&global, "debug", "true"), 0);
    cr_expect(flag_bool(&global, GLOBAL_DEBUG));
    cr_expect_eq(global_flags_annotation(&global, "network", "none"), 0);
    cr_expect_eq(global_flags_annotation(&global, "network", "sandbox"), -EPERM);
    cr_expect_eq(global_flags_annotation(&global, "allow-flag-override", "true"), -EPERM);
    flag_assign(&global, "allow-flag-override", "false");
    cr_expect_eq(global_flags_annotation(&global, "kernel-release", "6.1.0"), -EPERM);
    cr_expect_eq(global_flags_annotation(&global, "nope", "1"), -EINVAL);
    flag_assign(&global, "allow-flag-override", "true");
    cr_expect_eq(global_flags_annotation(&global, "kernel-release", "6.1.0"), 0);
    flag_set_free(&global);
}

Test(global_flags, root)
{
    struct flag_set global;

    cr_assert_eq(flag_set_init(&global, global_flags_table, GLOBAL_COUNT), 0);
    unsetenv("XDG_RUNTIME_DIR");
    cr_expect_str_eq(global_flags_root(&global), "/var/run/runsc");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    cr_expect_str_eq(global_flags_root(&global), "/run/user/7/runsc");
    flag_assign(&global, "root", "/r");
    cr_expect_str_eq(global_flags_root(&global), "/r");
    flag_set_free(&global);
}
