/* Descriptor tables: numbers, limits, copies, closing. */
#include "fs/eventfd/eventfd.h"
#include "sentry/kernel/fdtable.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct fdtable *table;
static struct cred *cred;

static struct file *new_file(void)
{
    struct file *f;

    cr_assert_eq(eventfd_open(0, 0, cred, &f), 0);
    return f;
}

static u64 live_files(void)
{
    for (struct obj_type *t = obj_types(); t; t = t->next)
        if (strcmp(t->name, "file") == 0)
            return atomic_load(&t->live);
    return 0;
}

static void setup(void)
{
    struct user_ns *ns = user_ns_first();

    cred = cred_root(ns);
    user_ns_put(ns);
    table = fdtable_new();
}

static void teardown(void)
{
    fdtable_put(table);
    cred_put(cred);
    cr_assert_eq(live_files(), 0);
}

TestSuite(fdtable, .init = setup, .fini = teardown);

Test(fdtable, lowest_free_number)
{
    for (int i = 0; i < 200; i++)
        cr_assert_eq(fd_install(table, new_file(), 0, 1024, false), i);
    cr_assert_eq(fd_close(table, 7), 0);
    cr_assert_eq(fd_close(table, 3), 0);
    cr_assert_eq(fd_close(table, 3), -EBADF);
    cr_assert_eq(fd_next(table, 3), 4);
    cr_assert_eq(fd_install(table, new_file(), 0, 1024, false), 3);
    cr_assert_eq(fd_install(table, new_file(), 5, 1024, false), 7);
    cr_assert_eq(fd_install(table, new_file(), 0, 1024, false), 200);
}

Test(fdtable, limits)
{
    struct file *f = new_file();

    cr_assert_eq(fd_install(table, file_get(f), 0, 2, false), 0);
    cr_assert_eq(fd_install(table, file_get(f), 0, 2, false), 1);
    cr_assert_not(fd_available(table, 2));
    cr_assert_eq(fd_install(table, f, 0, 2, false), -EMFILE);
    cr_assert_eq(fd_install(table, f, 2, 2, false), -EINVAL);
    cr_assert_eq(fd_install(table, f, -1, 2, false), -EINVAL);
    cr_assert_eq(fd_replace(table, f, 2, 2, false), -EBADF);
    cr_assert_eq(fd_replace(table, f, 1 << 24, UINT64_MAX, false), -EBADF);
    cr_assert(fd_available(table, 3));
    file_put(f);
}

Test(fdtable, replace_and_flags)
{
    cr_assert_eq(fd_replace(table, new_file(), 100, 1024, true), 100);
    cr_assert_eq(fd_cloexec(table, 100), 1);
    cr_assert_eq(fd_replace(table, new_file(), 100, 1024, false), 100);
    cr_assert_eq(fd_cloexec(table, 100), 0);
    cr_assert_eq(fd_cloexec(table, 99), -EBADF);
    cr_assert_eq(fd_set_cloexec(table, 100, true), 0);
    cr_assert_eq(fd_install(table, new_file(), 0, 1024, false), 0);
    fd_close_on_exec(table);
    cr_assert_eq(fd_next(table, 0), 0);
    cr_assert_eq(fd_next(table, 1), -1);
    cr_assert_eq(live_files(), 1);
}

Test(fdtable, copies_are_apart)
{
    struct fdtable *copy;

    for (int i = 0; i < 70; i++)
        fd_install(table, new_file(), 0, 1024, i % 2);
    fd_close_range(table, 10, 60, false);
    copy = fdtable_dup(table);
    cr_assert_eq(fd_next(copy, 10), 61);
    cr_assert_eq(fd_cloexec(copy, 61), 1);
    fd_close_range(copy, 0, UINT32_MAX, false);
    cr_assert_eq(fd_next(copy, 0), -1);
    cr_assert_eq(fd_next(table, 0), 0);
    cr_assert_eq(fd_install(copy, new_file(), 0, 1024, false), 0);
    fdtable_put(copy);
    cr_assert_eq(live_files(), 19);
}

Test(fdtable, close_range_checks)
{
    cr_assert_eq(fd_install(table, new_file(), 0, 1024, false), 0);
    cr_assert_eq(fd_close_range(table, 2, 1, false), -EINVAL);
    cr_assert_eq(fd_close_range(table, 0, UINT32_MAX, true), 0);
    cr_assert_eq(fd_cloexec(table, 0), 1);
}
