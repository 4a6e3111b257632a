/*
 * Runs the tests that criterion.h of this folder registers: each in a child of its own with a time limit, TAP on stdout.
 * A test passes if no check failed and the child ended by itself with status 0, which a sanitizer's report changes.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_SECONDS 60
#define SKIPPED 77

static struct plain_test *tests;
static bool failed;

void plain_register(struct plain_test *test)
{
    struct plain_test **at = &tests;

    while (*at)
        at = &(*at)->next;
    *at = test;
}

bool plain_check(bool ok, bool fatal, const char *file, int line, const char *expression)
{
    if (ok)
        return true;
    failed = true;
    printf("# %s:%d: expected %s\n", file, line, expression);
    fflush(stdout);
    if (fatal)
        _exit(1);
    return false;
}

void plain_skip(void)
{
    _exit(SKIPPED);
}

/* options_of() - what the test's suite says for all its tests, or NULL */
static const struct plain_options *options_of(const struct plain_test *test)
{
    for (const struct plain_test *t = tests; t; t = t->next) {
        if (!t->name && !strcmp(t->suite, test->suite))
            return &t->options;
    }
    return NULL;
}

static void run_child(const struct plain_test *test)
{
    const struct plain_options *suite = options_of(test);
    void (*init)(void) = test->options.init ? test->options.init : suite ? suite->init : NULL;
    void (*fini)(void) = test->options.fini ? test->options.fini : suite ? suite->fini : NULL;

    alarm(test->options.timeout > 0 ? (unsigned)test->options.timeout + 1 : DEFAULT_SECONDS);
    if (init)
        init();
    test->run();
    if (fini)
        fini();
    fflush(stdout);
    exit(failed ? 1 : 0); /* not _exit: the sanitizer's last word is its status */
}

/* run_test() - one TAP point. Return: whether it is ok */
static bool run_test(const struct plain_test *test, int number)
{
    int status = -1;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        run_child(test);
    if (pid > 0)
        waitpid(pid, &status, 0);
    bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED, ok = status == 0 || skipped;
    if (WIFSIGNALED(status))
        printf("# ended by signal %d\n", WTERMSIG(status));
    printf("%s %d - %s::%s%s\n", ok ? "ok" : "not ok", number, test->suite, test->name, skipped ? " # SKIP cannot run here" : "");
    return ok;
}

int main(void)
{
    int number = 0, bad = 0;

    for (const struct plain_test *test = tests; test; test = test->next) {
        if (test->name && !test->options.disabled && !run_test(test, ++number))
            bad++;
    }
    printf("1..%d\n", number);
    return bad ? 1 : 0;
}
