/*
 * The gofer's process. Its pid namespace comes with the clone, a user namespace only if config.json
 * maps ids; mount, ipc, uts and network namespaces it makes itself, beside runsc.
 */
#include "cmd/runsc/gofer_child.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/gofer_mounts.h"
#include "cmd/runsc/hook.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

struct setup {
    const struct container *c;
    const struct oci_spec *spec;
    const char *state;
    bool mapped;
};

static int run_hooks(void *arg)
{
    const struct setup *setup = arg;

    return hook_run_all("createContainer", &setup->spec->create_container, setup->state,
                        setup->c->bundle);
}

static int set_up(void *arg)
{
    const struct setup *setup = arg;
    auto_free char *place = NULL;
    int r = setup->mapped ? host_process_become_root() : 0;

    if (r)
        return error_errno(r, "can't become root of the container's user namespace");
    r = host_process_unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET);
    if (r)
        return error_errno(r, "can't make the gofer's namespaces");
    if (asprintf(&place, "%s/%s", setup->c->root, setup->c->id) < 0)
        return error_set(-ENOMEM, "out of memory");
    return gofer_mounts_build(setup->spec, setup->c->bundle, setup->c->rootfs, place, run_hooks,
                              arg);
}

static int write_map(pid_t pid, const char *file, const char *what,
                     const struct oci_id_mappings *maps)
{
    auto_free char *text = calloc(maps->count ? maps->count : 1, 40);
    char path[64];
    size_t at = 0;
    int r;

    if (!text)
        return error_set(-ENOMEM, "out of memory");
    for (size_t i = 0; i < maps->count; i++)
        at += (size_t)snprintf(text + at, 40, "%u %u %u\n", maps->items[i].container_id,
                               maps->items[i].host_id, maps->items[i].size);
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    r = host_file_put(AT_FDCWD, path, text);
    return r ? error_errno(r, "config.json: linux.%s: can't map these ids", what) : 0;
}

int gofer_child_start(struct child *child, const struct container *c, const struct oci_spec *spec,
                      int exe, const char *state)
{
    const struct oci_linux *l = &spec->linux_;
    struct setup setup = {
        .c = c, .spec = spec, .state = state, .mapped = oci_spec_namespace(spec, OCI_NS_USER)};
    int r =
        child_start(child, CLONE_NEWPID | (setup.mapped ? CLONE_NEWUSER : 0), exe, set_up, &setup);

    if (!r && setup.mapped)
        r = write_map(child->pid, "uid_map", "uidMappings", &l->uid_mappings);
    if (!r && setup.mapped)
        r = write_map(child->pid, "gid_map", "gidMappings", &l->gid_mappings);
    return r;
}
