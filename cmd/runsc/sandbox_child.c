/*
 * The Sentry's process. User and pid namespaces come with the clone; the rest it makes itself once
 * it is root there, beside runsc, which goes on meanwhile. A time namespace takes hold of children
 * only, so runsc enters one for the moment of the clone; likewise a network namespace that is
 * joined, since the child has no rights over it.
 */
#include "cmd/runsc/sandbox_child.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_mount.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* What the child is to do for itself. */
struct setup {
    int unshare;
    bool announce;
};

static int announce_ready(void)
{
    auto_control_msg struct control_msg msg = {0};
    int r = control_msg_ok(&msg, NULL);

    return r ? r : control_msg_send(CONTROL_BOOT_FD, &msg);
}

static int set_up(void *arg)
{
    const struct setup *setup = arg;
    int r = host_process_become_root();

    if (r)
        return error_errno(r, "can't become root of the sandbox's user namespace");
    r = host_process_unshare(setup->unshare);
    if (r)
        return error_errno(r, "can't make the sandbox's namespaces");
    r = host_mount_propagation("/", HOST_MOUNT_PRIVATE);
    if (r)
        return error_errno(r, "can't make the sandbox's mounts private");
    r = host_process_chdir("/");
    if (!r && setup->announce)
        r = announce_ready();
    return r ? error_errno(r, "can't set up the sandbox process") : 0;
}

static int write_map(pid_t pid, const char *file, u32 first)
{
    char path[64], map[64];
    int r;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    snprintf(map, sizeof(map), "%d %u 1\n%d %u 1\n", CONTROL_UID_SENTRY, first, CONTROL_UID_GUEST,
             first + 1);
    r = host_file_put(AT_FDCWD, path, map);
    return r ? error_errno(r, "can't map host ids %u and %u into the sandbox", first, first + 1)
             : 0;
}

/* Namespaces that runsc leaves for the moment of the clone, as descriptors to come back to. */
struct home {
    int net, time;
};

static int leave(struct home *home, const char *netns)
{
    int r;

    home->time = host_file_open(AT_FDCWD, "/proc/self/ns/time", O_RDONLY, 0);
    if (home->time >= 0 && host_process_time_start())
        home->time = -1; /* a kernel without them: clocks then start with the host */
    if (!netns)
        return 0;
    home->net = host_file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
    if (home->net < 0)
        return error_errno(home->net, "can't open this process's network namespace");
    r = host_file_open(AT_FDCWD, netns, O_RDONLY, 0);
    if (r >= 0) {
        int fd = r;

        r = host_process_setns(fd, CLONE_NEWNET);
        clean_fd(&fd);
    }
    return r ? error_errno(r, "linux.namespaces: can't join the network namespace %s", netns) : 0;
}

static int come_back(struct home *home)
{
    int r = 0;

    if (home->time >= 0)
        r = host_process_setns(home->time, CLONE_NEWTIME);
    if (home->net >= 0 && !r)
        r = host_process_setns(home->net, CLONE_NEWNET);
    clean_fd(&home->time);
    clean_fd(&home->net);
    return r ? error_errno(r, "can't return to this process's own namespaces") : 0;
}

int sandbox_child_start(struct child *child, const struct oci_spec *spec, u32 first_uid, int exe,
                        bool announce)
{
    const struct oci_namespace *net = oci_spec_namespace(spec, OCI_NS_NETWORK);
    const char *netns = net ? net->path : NULL;
    struct setup setup = {.unshare = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
                          .announce = announce};
    struct home home = {-1, -1};
    int r, back;

    if (!netns)
        setup.unshare |= CLONE_NEWNET;
    r = leave(&home, netns);
    if (!r)
        r = child_start(child, CLONE_NEWUSER | CLONE_NEWPID, exe, set_up, &setup);
    back = come_back(&home);
    if (!r)
        r = back;
    if (!r)
        r = write_map(child->pid, "uid_map", first_uid);
    if (!r)
        r = write_map(child->pid, "gid_map", first_uid);
    return r;
}
