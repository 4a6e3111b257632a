/*
 * Destroys containers. The Sentry is pid 1 of its pid namespace, so that its end is the end of all
 * guest processes; the gofer likewise of its own. The folder goes last: while it is there, delete
 * can be tried again.
 */
#include "cmd/runsc/destruction.h"

#include "cmd/runsc/cgroup.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/hook.h"
#include "cmd/runsc/host_process.h"
#include "cmd/runsc/uid_pair.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <string.h>

#define END_TIMEOUT_MS 10000

/* end_process() - kills it and waits. Return: 0 or -ETIMEDOUT. */
static int end_process(const struct process_ref *ref)
{
    auto_fd int fd = process_ref_open(ref);

    if (fd < 0)
        return 0;
    host_process_signal(fd, SIGKILL);
    return host_process_gone(fd, END_TIMEOUT_MS);
}

static void run_poststop(const struct container *c)
{
    auto_free char *state = NULL;
    struct oci_spec *spec = NULL;

    if (!c->poststop || c->status == CONTAINER_CREATING || container_spec(c, &spec))
        return;
    state = hook_state(c, CONTAINER_STOPPED);
    if (state)
        hook_run_best_effort("poststop", &spec->poststop, state, c->bundle);
    oci_spec_free(spec);
}

int destruction_run(struct container *c)
{
    int r = end_process(&c->sentry);

    if (!r)
        r = end_process(&c->gofer);
    if (r)
        return error_set(r, "container \"%s\": its processes don't end; try again", c->id);
    r = cgroup_remove(c);
    if (r)
        return r;
    run_poststop(c);
    if (c->uid_count)
        uid_pair_release(UID_PAIR_FOLDER, c->first_uid, c->root, c->id);
    return container_remove(c);
}
