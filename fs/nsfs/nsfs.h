/* Namespaces as files: what the links of /proc/PID/ns lead to and setns(2) takes. */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/kernel/ns.h"

/* nsfs_file() - a description of a namespace, whose reference is taken whatever happens. */
int nsfs_file(enum ns_kind kind, struct obj *ns, const struct cred *cred, struct file **out);
/* nsfs_of() - the namespace behind a file, borrowed with it, and its kind; NULL: it is no such file. */
struct obj *nsfs_of(const struct file *f, enum ns_kind *kind);
