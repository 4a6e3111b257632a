/* Entry point of the binary: what it does depends on the name that it was executed under. */
#include "cmd/main.h"

#include "sentry/base/types.h"
#include "sentry/control/control_proto.h"

#include <string.h>
#include <sys/prctl.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} programs[] = {
    {CONTROL_ARGV0_SANDBOX, sandbox_main},
    {CONTROL_ARGV0_GOFER, gofer_main},
};

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        if (strcmp(name, programs[i].name) != 0)
            continue;
        prctl(PR_SET_NAME, name); /* executed by descriptor, it would have that as its name */
        return programs[i].run(argc, argv);
    }
    return runsc_main(argc, argv);
}
