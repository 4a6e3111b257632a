/* The table of verbs. One that has a file of its own is a row by reference; the rest is to come. */
#include "cmd/runsc/verb.h"

#include <string.h>

/* A verb that is known and not built yet. */
#define TO_COME(name_, help_)                                       \
    &(const struct verb)                                            \
    {                                                               \
        .name = name_, .args = "...", .help = help_, .max_args = -1 \
    }

const struct verb *const verbs[] = {
    &create_verb,
    &debug_verb,
    &delete_verb,
    &exec_verb,
    &flags_verb,
    &help_verb,
    &kill_verb,
    &list_verb,
    &pause_verb,
    &ps_verb,
    &resume_verb,
    &run_verb,
    &spec_verb,
    &start_verb,
    &state_verb,
    &wait_verb,
    TO_COME("checkpoint", "save a container's state to files"),
    TO_COME("cpu-features", "list the CPU features that containers see"),
    TO_COME("do", "run a command on a throw-away view of the host's files"),
    TO_COME("events", "print statistics and events of a container"),
    TO_COME("export-metrics", "print a sandbox's metrics"),
    TO_COME("features", "list the features of this runtime as JSON"),
    TO_COME("install", "add this runtime to Docker's configuration"),
    TO_COME("metric-server", "serve the metrics of sandboxes"),
    TO_COME("port-forward", "forward a host port into a sandbox"),
    TO_COME("read", "print data that the sandbox has recorded"),
    TO_COME("restore", "start a container from saved state"),
    TO_COME("symbolize", "turn recorded addresses into symbols"),
    TO_COME("tar", "write a container's file system as a tar archive"),
    TO_COME("trace", "stream system call events of a sandbox"),
    TO_COME("uninstall", "remove this runtime from Docker's configuration"),
    TO_COME("update", "change a container's resource limits"),
    TO_COME("usage", "show a sandbox's memory usage"),
};
const size_t verb_count = ARRAY_SIZE(verbs);

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

void verb_usage(FILE *out, const struct verb *verb)
{
    fprintf(out, "Usage: runsc <global flags> %s %s%s\n  %s\n", verb->name,
            verb->flag_count ? "<flags> " : "", verb->args, verb->help);
    if (verb->flag_count)
        fprintf(out, "\nFlags:\n");
    flag_print(out, verb->flags, verb->flag_count);
}

void verb_overview(FILE *out)
{
    fprintf(out, "Usage: runsc <global flags> <verb> <flags> <args>\n\nVerbs:\n");
    for (size_t i = 0; i < verb_count; i++)
        fprintf(out, "  %-15s %s%s\n", verbs[i]->name, verbs[i]->help,
                verbs[i]->run ? "" : " (not built yet)");
    fprintf(out,
            "\n\"runsc help <verb>\" tells a verb's flags, \"runsc flags\" the global ones.\n");
}
