/*
 * oci_process.h: the process object of an OCI bundle, as struct oci_process. Strings and lists
 * belong to the parsed object that they are reached through, and live as long as it does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One human line about what is wrong, with the JSON path; no newline. */
struct oci_error {
    char text[512];
};

struct oci_strings {
    size_t count;
    const char **items;
};

struct oci_ids {
    size_t count;
    uint32_t *items;
};

struct oci_pair {
    const char *key, *value;
};

/* Members of a JSON object whose values are strings, in the order of the file. */
struct oci_map {
    size_t count;
    struct oci_pair *items;
};

struct oci_opt_i64 {
    bool set;
    int64_t value;
};

struct oci_opt_u64 {
    bool set;
    uint64_t value;
};

struct oci_user {
    uint32_t uid, gid;
    bool umask_set;
    uint32_t umask;
    struct oci_ids additional_gids;
};

/* Bit n is Linux's capability number n; names that Linux does not know are left out. */
struct oci_capabilities {
    bool set;
    uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* resource is Linux's RLIMIT_* number; UINT64_MAX is RLIM_INFINITY. */
struct oci_rlimit {
    int32_t resource;
    uint64_t soft, hard;
};

struct oci_rlimits {
    size_t count;
    struct oci_rlimit *items;
};

struct json_object;

struct oci_process {
    bool terminal;
    uint32_t console_height, console_width; /* 0: not given */
    struct oci_user user;
    struct oci_strings args; /* at least one */
    struct oci_strings env;
    const char *cwd; /* absolute */
    struct oci_capabilities capabilities;
    struct oci_rlimits rlimits;
    bool no_new_privileges;
    bool oom_score_adj_set;
    int32_t oom_score_adj;
    const char *apparmor_profile;                                    /* NULL: not given */
    const char *selinux_label;                                       /* NULL: not given */
    struct json_object *scheduler, *io_priority, *exec_cpu_affinity; /* NULL: not given */
    struct json_object *json;                                        /* the whole, borrowed */
};

/*
 * oci_process_parse() - a process object by itself, as `exec --process` has it.
 * @text, @len: JSON, at most 1 MiB; borrowed during the call only.
 * Return: 0 and a new object, to be freed by oci_process_free(); or -EINVAL, -E2BIG, -ENOMEM with
 * *err filled. Never touches the host.
 */
int oci_process_parse(const char *text, size_t len, struct oci_process **out,
                      struct oci_error *err);

/* oci_process_free() - frees what oci_process_parse() made; NULL is fine. */
void oci_process_free(struct oci_process *process);

/* oci_capability_number() - "CAP_CHOWN" to 0 ... Return: the number, or -1 if Linux has none. */
int oci_capability_number(const char *name);

/* oci_capability_name() - 0 to "CAP_CHOWN" ... Return: the name, or NULL if there is none. */
const char *oci_capability_name(unsigned int number);
