/* Containers' folders: ids, states, what a crash leaves, processes that come and go. */
#include "cmd/runsc/container.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static char root[] = "/tmp/test_container.XXXXXX";

static void setup(void)
{
    cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", root);
    cr_expect_eq(system(command), 0);
}

TestSuite(container, .init = setup, .fini = teardown);

static struct container *make(const char *id)
{
    struct container *c;

    cr_assert_eq(container_create(root, id, &c), 0, "%s", error_text());
    c->bundle = strdup("/b");
    c->rootfs = strdup("/b/rootfs");
    c->created = strdup("2025-01-01T00:00:00Z");
    return c;
}

static void put(const struct container *c, const char *name, const char *text)
{
    cr_assert_eq(host_file_replace(c->dir, name, text, strlen(text), 0600), 0);
}

Test(container, ids)
{
    char long_id[300];

    memset(long_id, 'a', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    cr_expect_eq(container_check_id("aZ0_+.-"), 0);
    cr_expect_eq(container_check_id(""), -EINVAL);
    cr_expect_eq(container_check_id("."), -EINVAL);
    cr_expect_eq(container_check_id(".."), -EINVAL);
    cr_expect_eq(container_check_id("a/b"), -EINVAL);
    cr_expect_eq(container_check_id("a b"), -EINVAL);
    cr_expect_eq(container_check_id("a\n"), -EINVAL);
    cr_expect_eq(container_check_id(long_id), -EINVAL);
}

Test(container, saved_and_loaded)
{
    struct container *c = make("c1"), *again;

    c->status = CONTAINER_RUNNING;
    c->first_uid = 900000;
    c->uid_count = 2;
    c->cgroups[c->cgroup_count++] = strdup("/sys/fs/cgroup/x");
    cr_assert_eq(process_ref_of(getpid(), &c->sentry), 0);
    cr_assert_eq(container_save(c), 0);
    container_close(c);
    cr_assert_eq(container_open(root, "c1", false, false, &again), 0, "%s", error_text());
    cr_expect_eq(again->sentry.pid, getpid());
    cr_expect_str_eq(again->bundle, "/b");
    cr_expect_eq(again->first_uid, 900000);
    cr_expect_str_eq(again->cgroups[0], "/sys/fs/cgroup/x");
    cr_expect_eq(container_status(again), CONTAINER_RUNNING);
    cr_expect_eq(container_require(again, 1u << CONTAINER_CREATED, "start"), -EBUSY);
    cr_expect_str_eq(error_text(), "cannot start container \"c1\": it is running, must be created");
    container_close(again);
}

Test(container, twice)
{
    struct container *c = make("c1"), *other;

    cr_expect_eq(container_create(root, "c1", &other), -EEXIST);
    cr_expect_not_null(strstr(error_text(), "already exists"));
    container_close(c);
}

Test(container, missing)
{
    struct container *c;

    cr_expect_eq(container_open(root, "none", true, true, &c), -ENOENT);
    cr_expect_str_eq(error_text(), "container \"none\" does not exist");
}

Test(container, half_made)
{
    struct container *c = make("c1"), *again;

    container_close(c);
    cr_expect_eq(container_open(root, "c1", false, false, &again), -ENOENT);
    cr_assert_eq(container_open(root, "c1", true, true, &again), 0);
    cr_expect_eq(container_remove(again), 0);
    container_close(again);
    cr_expect_eq(container_open(root, "c1", true, true, &again), -ENOENT);
}

Test(container, damaged)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"version\":2}",
        "{\"version\":1,\"status\":\"dancing\"}",
        "{\"version\":1,\"status\":\"created\",\"creator\":{\"pid\":-1,\"start\":0}}",
    };
    struct container *c = make("c1");

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct container *again = NULL;

        put(c, "state.json", bad[i]);
        cr_expect_eq(container_open(root, "c1", false, false, &again), -EUCLEAN, "%s", bad[i]);
        cr_expect_not_null(strstr(error_text(), "delete --force"), "%s", error_text());
        cr_assert_eq(container_open(root, "c1", false, true, &again), 0);
        container_close(again);
    }
    container_close(c);
}

Test(container, status_follows_processes)
{
    struct container *c = make("c1");
    pid_t child = fork();
    int status;

    if (child == 0) {
        pause();
        _exit(0);
    }
    c->status = CONTAINER_CREATED;
    cr_assert_eq(process_ref_of(child, &c->sentry), 0);
    cr_expect_eq(container_status(c), CONTAINER_CREATED);
    kill(child, SIGKILL);
    for (int i = 0; i < 1000 && container_status(c) != CONTAINER_STOPPED; i++)
        usleep(1000);
    cr_expect_eq(container_status(c), CONTAINER_STOPPED, "a zombie is over");
    waitpid(child, &status, 0);
    cr_expect_eq(container_status(c), CONTAINER_STOPPED);
    /* As if the pid were in use again, by a process that started at another time. */
    cr_assert_eq(process_ref_of(getpid(), &c->sentry), 0);
    c->sentry.start--;
    cr_expect_eq(container_status(c), CONTAINER_STOPPED);
    container_close(c);
}

Test(container, creator_gone)
{
    struct container *c = make("c1");

    c->status = CONTAINER_CREATING;
    cr_assert_eq(process_ref_of(getpid(), &c->creator), 0);
    cr_expect_eq(container_status(c), CONTAINER_CREATING);
    c->creator.start--;
    cr_expect_eq(container_status(c), CONTAINER_STOPPED);
    container_close(c);
}

Test(container, exit_file)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {{"", -ENOENT},      {"7\n", 7},         {"143\n", 143},    {"0\n", 0},
                 {"7", -ENOENT},     {"256\n", -ENOENT}, {"-1\n", -ENOENT}, {"x\n", -ENOENT},
                 {"1 2\n", -ENOENT}, {"\n", -ENOENT}};
    struct container *c = make("c1");

    cr_expect_eq(container_exit_status(c), -ENOENT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put(c, "exit", cases[i].text);
        cr_expect_eq(container_exit_status(c), cases[i].status, "%s", cases[i].text);
    }
    container_close(c);
}

Test(container, names)
{
    char **names, path[64];
    size_t count;

    container_close(make("b"));
    container_close(make("a"));
    snprintf(path, sizeof(path), "%s/file", root);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    snprintf(path, sizeof(path), "%s/not an id", root);
    host_file_mkdir(AT_FDCWD, path, 0700);
    cr_assert_eq(container_names(root, &names, &count), 0);
    cr_assert_eq(count, 2);
    cr_expect_str_eq(names[0], "a");
    cr_expect_str_eq(names[1], "b");
    host_file_names_free(names, count);
    cr_expect_eq(container_names("/nonexistent", &names, &count), 0);
    cr_expect_eq(count, 0);
}
