/*
 * The part of Criterion that the unit tests use, over fork(): for builds in which Criterion's own process sandbox cannot
 * run (ThreadSanitizer). Same sources, same TAP; include this folder before Criterion's. runner.c has main().
 */
#ifndef TESTS_UNIT_PLAIN_CRITERION_H
#define TESTS_UNIT_PLAIN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct plain_options {
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* seconds */
    const char *description;
    bool disabled;
};

struct plain_test {
    const char *suite;
    const char *name; /* NULL: options of the whole suite */
    void (*run)(void);
    struct plain_options options;
    struct plain_test *next;
};

/* plain_register() - add a test or a suite's options */
void plain_register(struct plain_test *test);

/* plain_check() - a failed check says where; a fatal one ends the test. Return: ok */
bool plain_check(bool ok, bool fatal, const char *file, int line, const char *expression);

/* plain_skip() - end the test as skipped */
void plain_skip(void) __attribute__((noreturn));

#define PLAIN_REGISTER(variable)                                                                   \
    __attribute__((constructor)) static void variable##_register(void)                             \
    {                                                                                              \
        plain_register(&variable);                                                                 \
    }

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_impl(void);                                                     \
    static struct plain_test suite_##_##name_##_test = {                                           \
        .suite = #suite_, .name = #name_, .run = suite_##_##name_##_impl, .options = {__VA_ARGS__}}; \
    PLAIN_REGISTER(suite_##_##name_##_test)                                                        \
    static void suite_##_##name_##_impl(void)

#define TestSuite(suite_, ...)                                                                     \
    static struct plain_test suite_##_suite = {.suite = #suite_, .options = {__VA_ARGS__}};        \
    PLAIN_REGISTER(suite_##_suite)

#define PLAIN(fatal, cond, text) plain_check((cond), (fatal), __FILE__, __LINE__, text)
#define PLAIN_STR(a, b) (strcmp((a), (b)) == 0)
#define PLAIN_ARR(a, b, size) (memcmp((a), (b), (size)) == 0)

#define cr_assert(cond, ...) PLAIN(true, (cond), #cond)
#define cr_expect(cond, ...) PLAIN(false, (cond), #cond)
#define cr_assert_not(cond, ...) PLAIN(true, !(cond), "!" #cond)
#define cr_expect_not(cond, ...) PLAIN(false, !(cond), "!" #cond)
#define cr_assert_eq(a, b, ...) PLAIN(true, (a) == (b), #a " == " #b)
#define cr_expect_eq(a, b, ...) PLAIN(false, (a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) PLAIN(true, (a) != (b), #a " != " #b)
#define cr_expect_neq(a, b, ...) PLAIN(false, (a) != (b), #a " != " #b)
#define cr_assert_lt(a, b, ...) PLAIN(true, (a) < (b), #a " < " #b)
#define cr_expect_lt(a, b, ...) PLAIN(false, (a) < (b), #a " < " #b)
#define cr_assert_leq(a, b, ...) PLAIN(true, (a) <= (b), #a " <= " #b)
#define cr_expect_leq(a, b, ...) PLAIN(false, (a) <= (b), #a " <= " #b)
#define cr_assert_gt(a, b, ...) PLAIN(true, (a) > (b), #a " > " #b)
#define cr_expect_gt(a, b, ...) PLAIN(false, (a) > (b), #a " > " #b)
#define cr_assert_geq(a, b, ...) PLAIN(true, (a) >= (b), #a " >= " #b)
#define cr_expect_geq(a, b, ...) PLAIN(false, (a) >= (b), #a " >= " #b)
#define cr_assert_null(p, ...) PLAIN(true, !(p), #p " is NULL")
#define cr_expect_null(p, ...) PLAIN(false, !(p), #p " is NULL")
#define cr_assert_not_null(p, ...) PLAIN(true, (p), #p " is not NULL")
#define cr_expect_not_null(p, ...) PLAIN(false, (p), #p " is not NULL")
#define cr_assert_str_eq(a, b, ...) PLAIN(true, PLAIN_STR(a, b), #a " is the text " #b)
#define cr_expect_str_eq(a, b, ...) PLAIN(false, PLAIN_STR(a, b), #a " is the text " #b)
#define cr_assert_str_neq(a, b, ...) PLAIN(true, !PLAIN_STR(a, b), #a " is not the text " #b)
#define cr_expect_str_neq(a, b, ...) PLAIN(false, !PLAIN_STR(a, b), #a " is not the text " #b)
#define cr_assert_arr_eq(a, b, size, ...) PLAIN(true, PLAIN_ARR(a, b, size), #a " has the bytes of " #b)
#define cr_expect_arr_eq(a, b, size, ...) PLAIN(false, PLAIN_ARR(a, b, size), #a " has the bytes of " #b)
#define cr_assert_arr_neq(a, b, size, ...) PLAIN(true, !PLAIN_ARR(a, b, size), #a " has other bytes than " #b)
#define cr_expect_arr_neq(a, b, size, ...) PLAIN(false, !PLAIN_ARR(a, b, size), #a " has other bytes than " #b)
#define cr_assert_fail(...) PLAIN(true, false, "not to come here")
#define cr_expect_fail(...) PLAIN(false, false, "not to come here")
#define cr_skip_test(...) plain_skip()

#endif
