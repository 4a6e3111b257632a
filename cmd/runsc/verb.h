/* Verbs of the command line: what a file <verb>.c defines, and what it is given. */
#pragma once

#include "cmd/runsc/flag.h"
#include "cmd/runsc/global_flags.h"

/* One run of runsc. */
struct cli {
    struct flag_set global;
    const char *root; /* folder of containers */
    const struct verb *verb;
    int log_fd; /* of --log or --log-fd, or -1 */
};

struct verb {
    const char *name, *args, *help;
    const struct flag *flags;
    size_t flag_count;
    int min_args, max_args; /* max_args -1: any number */
    /*
     * run() - does it. @argv: the arguments after the flags.
     * Return: the exit status, or a negative errno with the error line set. NULL: not built yet.
     */
    int (*run)(struct cli *cli, const struct flag_set *flags, int argc, char **argv);
};

/* All verbs, in the order of `help`. */
extern const struct verb *const verbs[];
extern const size_t verb_count;

/* verb_find() - Return: the verb of that name, or NULL. */
const struct verb *verb_find(const char *name);

/* verb_usage() - one verb's usage and flags. */
void verb_usage(FILE *out, const struct verb *verb);

/* verb_overview() - usage, verbs and how to see the global flags. */
void verb_overview(FILE *out);

extern const struct verb create_verb, start_verb, run_verb, state_verb, kill_verb, delete_verb,
    exec_verb, list_verb, ps_verb, wait_verb, spec_verb, flags_verb, help_verb, pause_verb,
    resume_verb, debug_verb;
