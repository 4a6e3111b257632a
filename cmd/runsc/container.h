/*
 * A container as the command line knows it: its folder <root>/<id>, what is in state.json, and what
 * that and the host's processes say about its status. See container.c for the theory.
 */
#pragma once

#include "sentry/base/types.h"

#include <time.h>

struct oci_spec;
struct json_object;

enum container_status {
    CONTAINER_CREATING,
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_STOPPED,
};

/* A host process that can't be mistaken for a later one with its pid. pid 0: none. */
struct process_ref {
    pid_t pid;
    u64 start; /* clock ticks after boot, of /proc/PID/stat */
};

#define CONTAINER_CGROUPS_MAX 16

struct container {
    char *id, *root;
    int dir;  /* its folder */
    int lock; /* its lock file, flocked, or -1 */
    /* What state.json keeps. */
    enum container_status status; /* as recorded; container_status() tells the real one */
    struct process_ref creator, sentry, gofer;
    char *bundle, *rootfs, *created;
    u32 owner;
    u32 first_uid, uid_count; /* host ids of this sandbox's own; count 0: none yet */
    bool poststart, poststop; /* are there such hooks in config.json? */
    size_t cgroup_count;
    char *cgroups[CONTAINER_CGROUPS_MAX]; /* folders in the host's hierarchies */
};

/* container_check_id() - Return: 0, or -EINVAL with the error set. */
int container_check_id(const char *id);

/*
 * container_create() - makes the folder and takes its lock; the container is "creating".
 * Return: 0; -EEXIST with the error set, ...
 */
int container_create(const char *root, const char *id, struct container **out);

/*
 * container_open() - an existing one. @lock: wait for its lock, for who is to change it.
 * Return: 0; -ENOENT ("... does not exist"), -EUCLEAN for a state.json that can't be used; error
 * set. With @broken_too, a container without usable state is opened with what there is.
 */
int container_open(const char *root, const char *id, bool lock, bool broken_too,
                   struct container **out);

/* container_close() - frees the object, gives up the lock. NULL is fine. */
void container_close(struct container *c);
void container_closep(struct container **c);
#define auto_container __attribute__((cleanup(container_closep)))

/* container_save() - writes state.json. Return: 0 or an error, error set. */
int container_save(struct container *c);

/* container_remove() - removes the folder and all in it. Return: 0 or an error, error set. */
int container_remove(struct container *c);

/* container_status() - what it is now, from the record, the processes and the exit file. */
enum container_status container_status(const struct container *c);
const char *container_status_name(enum container_status status);

/*
 * container_require() - is its status one of @allowed (bits 1 << status)?
 * @verb: for the error, which names both statuses. Return: 0 or -EBUSY, error set.
 */
int container_require(const struct container *c, unsigned int allowed, const char *verb);

/* container_exit_status() - what init ended with. Return: 0-255, or -ENOENT if nothing is written. */
int container_exit_status(const struct container *c);

/* container_spec() - its own copy of config.json, parsed. Return: 0 or an error, error set. */
int container_spec(const struct container *c, struct oci_spec **out);

/* container_state_json() - the OCI state, a new object, or NULL. */
struct json_object *container_state_json(const struct container *c, enum container_status status);

/* container_names() - ids of the containers in a root, sorted; host_file_names_free() frees them. */
int container_names(const char *root, char ***names, size_t *count);

/* process_ref_of() - a reference to a live process. Return: 0, -ESRCH. */
int process_ref_of(pid_t pid, struct process_ref *out);

/* process_ref_open() - a pidfd of it. Return: the pidfd, or -ESRCH if it has ended. */
int process_ref_open(const struct process_ref *ref);
