/*
 * The command line: global flags, the verb, its flags, and what becomes of an error: one line on
 * stderr, the same as a JSON object in the caller's log, exit status 128.
 */
#include "cmd/main.h"
#include "cmd/runsc/debug_log.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define EXIT_RUNSC 128

#ifndef RUNSC_VERSION
#error "the build says RUNSC_VERSION"
#endif

/* fail() - the error line, to stderr and to the log. */
static int fail(const struct cli *cli)
{
    fprintf(stderr, "%s\n", error_text());
    log_error("%s", error_text());
    error_log_entry(cli->log_fd);
    return EXIT_RUNSC;
}

/* open_log() - where error entries go. */
static int open_log(struct cli *cli)
{
    const char *path = flag_text(&cli->global, GLOBAL_LOG);
    s64 fd = flag_int(&cli->global, GLOBAL_LOG_FD);

    if (fd > INT32_MAX || (fd >= 0 && fcntl((int)fd, F_GETFD) < 0))
        return error_set(-EBADF, "--log-fd: descriptor %lld is not open", (long long)fd);
    if (fd >= 0) {
        cli->log_fd = (int)fd;
        return 0;
    }
    if (!*path)
        return 0;
    cli->log_fd = host_file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (cli->log_fd < 0) {
        int r = cli->log_fd;

        cli->log_fd = -1;
        return error_errno(r, "--log: can't open %s", path);
    }
    return 0;
}

/* run_verb_args() - the verb with its flags and arguments. Return: exit status or an error. */
static int run_verb_args(struct cli *cli, int argc, char **argv)
{
    const struct verb *verb = cli->verb;
    struct flag_set flags;
    int n, r;

    r = flag_set_init(&flags, verb->flags, verb->flag_count);
    if (r)
        return r;
    n = flag_parse(&flags, argc, argv);
    if (n == -ECANCELED) {
        verb_usage(stdout, verb);
        r = 0;
    } else if (n < 0) {
        verb_usage(stderr, verb);
        r = n;
    } else if (argc - n < verb->min_args || (verb->max_args >= 0 && argc - n > verb->max_args)) {
        verb_usage(stderr, verb);
        r = error_set(-EINVAL, "%s: takes %s", verb->name,
                      *verb->args ? verb->args : "no arguments");
    } else {
        r = verb->run(cli, &flags, argc - n, argv + n);
    }
    flag_set_free(&flags);
    return r;
}

/* run_cli() - what follows the global flags. Return: exit status or an error. */
static int run_cli(struct cli *cli, int argc, char **argv)
{
    int r = open_log(cli);

    if (r)
        return r;
    if (argc == 0) {
        verb_overview(stderr);
        return error_set(-EINVAL, "no verb given");
    }
    cli->verb = verb_find(argv[0]);
    if (!cli->verb) {
        verb_overview(stderr);
        return error_set(-EINVAL, "there is no verb '%s'", argv[0]);
    }
    r = global_flags_check(&cli->global);
    if (r)
        return r;
    if (!cli->verb->run)
        return error_set(-EOPNOTSUPP, "not built yet: runsc %s", cli->verb->name);
    cli->root = global_flags_root(&cli->global);
    r = debug_log_start(cli);
    if (r)
        return r;
    return run_verb_args(cli, argc - 1, argv + 1);
}

/* parse_global() - Return: number of arguments taken, an exit status in *status, or an error. */
static int parse_global(struct cli *cli, int argc, char **argv, int *status)
{
    int n;

    n = flag_parse(&cli->global, argc, argv);
    if (n == -ECANCELED) {
        verb_overview(stdout);
        *status = 0;
        return 0;
    }
    if (n < 0) {
        verb_overview(stderr);
    } else if (flag_bool(&cli->global, GLOBAL_VERSION)) {
        printf("runsc version release-%s\nspec: 1.1.0\n", RUNSC_VERSION);
        *status = 0;
    }
    return n;
}

int runsc_main(int argc, char **argv)
{
    struct cli cli = {.log_fd = -1};
    int status = -1, r;

    signal(SIGPIPE, SIG_IGN);
    r = flag_set_init(&cli.global, global_flags_table, GLOBAL_COUNT);
    if (!r)
        r = parse_global(&cli, argc - 1, argv + 1, &status);
    if (r >= 0 && status < 0)
        r = status = run_cli(&cli, argc - 1 - r, argv + 1 + r);
    if (r < 0)
        status = fail(&cli);
    flag_set_free(&cli.global);
    return status;
}
