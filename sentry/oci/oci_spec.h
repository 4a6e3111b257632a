/*
 * oci_spec.h: a parsed config.json of the OCI runtime specification 1.1.0, all that applies to
 * Linux. What of it is honoured is another question: oci_support.h.
 */
#pragma once

#include "sentry/base/limits.h"
#include "sentry/oci/oci_linux.h"
#include "sentry/oci/oci_process.h"

/* A config.json or process object that is longer is refused. */
#define OCI_TEXT_MAX LIMIT_SPEC_BYTES

/* Flags of a mount, with the values of Linux's MS_*. */
#define OCI_MOUNT_RDONLY      (1ul << 0)
#define OCI_MOUNT_NOSUID      (1ul << 1)
#define OCI_MOUNT_NODEV       (1ul << 2)
#define OCI_MOUNT_NOEXEC      (1ul << 3)
#define OCI_MOUNT_SYNCHRONOUS (1ul << 4)
#define OCI_MOUNT_REMOUNT     (1ul << 5)
#define OCI_MOUNT_MANDLOCK    (1ul << 6)
#define OCI_MOUNT_DIRSYNC     (1ul << 7)
#define OCI_MOUNT_NOSYMFOLLOW (1ul << 8)
#define OCI_MOUNT_NOATIME     (1ul << 10)
#define OCI_MOUNT_NODIRATIME  (1ul << 11)
#define OCI_MOUNT_BIND        (1ul << 12)
#define OCI_MOUNT_REC         (1ul << 14)
#define OCI_MOUNT_SILENT      (1ul << 15)
#define OCI_MOUNT_UNBINDABLE  (1ul << 17)
#define OCI_MOUNT_PRIVATE     (1ul << 18)
#define OCI_MOUNT_SLAVE       (1ul << 19)
#define OCI_MOUNT_SHARED      (1ul << 20)
#define OCI_MOUNT_RELATIME    (1ul << 21)
#define OCI_MOUNT_I_VERSION   (1ul << 23)
#define OCI_MOUNT_STRICTATIME (1ul << 24)
#define OCI_MOUNT_LAZYTIME    (1ul << 25)

struct oci_mount {
    const char *destination; /* absolute */
    const char *type;        /* never NULL; "bind" for a bind or rbind option */
    const char *source;      /* NULL: not given */
    struct oci_strings options;
    /* What the options mean. */
    unsigned long flags;       /* OCI_MOUNT_*, no propagation among them */
    unsigned long clear;       /* named by an inverse option: rw, suid, dev, exec ... */
    unsigned long rec_set;     /* rro, rnosuid ...: to be set on submounts too */
    unsigned long rec_clear;   /* rrw, rsuid ... */
    unsigned long propagation; /* OCI_MOUNT_{PRIVATE,SLAVE,SHARED,UNBINDABLE} [| REC], or 0 */
    bool tmpcopyup, idmap;
    struct oci_strings data; /* options for the file system itself: size=, mode= ... */
    struct oci_id_mappings uid_mappings, gid_mappings;
};

struct oci_mounts {
    size_t count;
    struct oci_mount *items;
};

struct oci_hook {
    const char *path; /* absolute */
    struct oci_strings args, env;
    struct oci_opt_i64 timeout; /* seconds, > 0 */
};

struct oci_hooks {
    size_t count;
    struct oci_hook *items;
};

struct oci_spec {
    const char *oci_version;
    bool process_set;
    struct oci_process process; /* if process_set */
    const char *root_path;
    bool root_readonly;
    const char *hostname, *domainname; /* NULL: not given */
    struct oci_mounts mounts;
    struct oci_hooks prestart, create_runtime, create_container, start_container, poststart,
        poststop;
    struct oci_map annotations;
    struct oci_linux linux_;
    struct json_object *json; /* the whole, borrowed */
};

/*
 * oci_spec_parse() - config.json, whole: types, ranges and what the specification demands.
 * @text, @len: JSON, at most OCI_TEXT_MAX; borrowed during the call only.
 * Return: 0 and a new object, to be freed by oci_spec_free(); or -EINVAL, -E2BIG, -ENOMEM with
 * *err filled ("config.json: process.args: must be an array of strings, is a number").
 * Never touches the host.
 */
int oci_spec_parse(const char *text, size_t len, struct oci_spec **out, struct oci_error *err);

/* oci_spec_free() - frees what oci_spec_parse() made; NULL is fine. */
void oci_spec_free(struct oci_spec *spec);

/* oci_spec_namespace() - borrowed: the spec's entry of that type, or NULL if it lists none. */
const struct oci_namespace *oci_spec_namespace(const struct oci_spec *spec,
                                               enum oci_namespace_type type);

/* oci_spec_annotation() - borrowed: that annotation's value, or NULL. */
const char *oci_spec_annotation(const struct oci_spec *spec, const char *key);
