/* A mount of config.json, and what its options mean: mount(8)'s names, recursive ones, data. */
#include "sentry/oci/oci_decode_priv.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <string.h>

/* What an option does to the flags; one row for each name of the specification. */
struct mount_option {
    const char *name;
    unsigned long set, clear, rec_set, rec_clear, propagation;
};

#define REC OCI_MOUNT_REC

static const struct mount_option mount_options[] = {
    {"async", .clear = OCI_MOUNT_SYNCHRONOUS},
    {"atime", .clear = OCI_MOUNT_NOATIME},
    {"bind", .set = OCI_MOUNT_BIND},
    {"defaults"},
    {"dev", .clear = OCI_MOUNT_NODEV},
    {"diratime", .clear = OCI_MOUNT_NODIRATIME},
    {"dirsync", .set = OCI_MOUNT_DIRSYNC},
    {"exec", .clear = OCI_MOUNT_NOEXEC},
    {"iversion", .set = OCI_MOUNT_I_VERSION},
    {"lazytime", .set = OCI_MOUNT_LAZYTIME},
    {"loud", .clear = OCI_MOUNT_SILENT},
    {"mand", .set = OCI_MOUNT_MANDLOCK},
    {"noatime", .set = OCI_MOUNT_NOATIME},
    {"nodev", .set = OCI_MOUNT_NODEV},
    {"nodiratime", .set = OCI_MOUNT_NODIRATIME},
    {"noexec", .set = OCI_MOUNT_NOEXEC},
    {"noiversion", .clear = OCI_MOUNT_I_VERSION},
    {"nolazytime", .clear = OCI_MOUNT_LAZYTIME},
    {"nomand", .clear = OCI_MOUNT_MANDLOCK},
    {"norelatime", .clear = OCI_MOUNT_RELATIME},
    {"nostrictatime", .clear = OCI_MOUNT_STRICTATIME},
    {"nosuid", .set = OCI_MOUNT_NOSUID},
    {"nosymfollow", .set = OCI_MOUNT_NOSYMFOLLOW},
    {"private", .propagation = OCI_MOUNT_PRIVATE},
    {"ratime", .rec_clear = OCI_MOUNT_NOATIME},
    {"rbind", .set = OCI_MOUNT_BIND | REC},
    {"rdev", .rec_clear = OCI_MOUNT_NODEV},
    {"rdiratime", .rec_clear = OCI_MOUNT_NODIRATIME},
    {"relatime", .set = OCI_MOUNT_RELATIME},
    {"remount", .set = OCI_MOUNT_REMOUNT},
    {"rexec", .rec_clear = OCI_MOUNT_NOEXEC},
    {"rnoatime", .rec_set = OCI_MOUNT_NOATIME},
    {"rnodev", .rec_set = OCI_MOUNT_NODEV},
    {"rnodiratime", .rec_set = OCI_MOUNT_NODIRATIME},
    {"rnoexec", .rec_set = OCI_MOUNT_NOEXEC},
    {"rnorelatime", .rec_clear = OCI_MOUNT_RELATIME},
    {"rnostrictatime", .rec_clear = OCI_MOUNT_STRICTATIME},
    {"rnosuid", .rec_set = OCI_MOUNT_NOSUID},
    {"rnosymfollow", .rec_set = OCI_MOUNT_NOSYMFOLLOW},
    {"ro", .set = OCI_MOUNT_RDONLY},
    {"rprivate", .propagation = OCI_MOUNT_PRIVATE | REC},
    {"rrelatime", .rec_set = OCI_MOUNT_RELATIME},
    {"rro", .rec_set = OCI_MOUNT_RDONLY},
    {"rrw", .rec_clear = OCI_MOUNT_RDONLY},
    {"rshared", .propagation = OCI_MOUNT_SHARED | REC},
    {"rslave", .propagation = OCI_MOUNT_SLAVE | REC},
    {"rstrictatime", .rec_set = OCI_MOUNT_STRICTATIME},
    {"rsuid", .rec_clear = OCI_MOUNT_NOSUID},
    {"rsymfollow", .rec_clear = OCI_MOUNT_NOSYMFOLLOW},
    {"runbindable", .propagation = OCI_MOUNT_UNBINDABLE | REC},
    {"rw", .clear = OCI_MOUNT_RDONLY},
    {"shared", .propagation = OCI_MOUNT_SHARED},
    {"silent", .set = OCI_MOUNT_SILENT},
    {"slave", .propagation = OCI_MOUNT_SLAVE},
    {"strictatime", .set = OCI_MOUNT_STRICTATIME},
    {"suid", .clear = OCI_MOUNT_NOSUID},
    {"symfollow", .clear = OCI_MOUNT_NOSYMFOLLOW},
    {"sync", .set = OCI_MOUNT_SYNCHRONOUS},
    {"unbindable", .propagation = OCI_MOUNT_UNBINDABLE},
};

static const struct oci_field mount_fields[] = {
    FIELD_REQUIRED(struct oci_mount, "destination", destination, OCI_STRING),
    FIELD(struct oci_mount, "type", type, OCI_STRING),
    FIELD(struct oci_mount, "source", source, OCI_STRING),
    FIELD(struct oci_mount, "options", options, OCI_STRINGS),
    FIELD_SUB(struct oci_mount, "uidMappings", uid_mappings, OCI_OBJECTS, oci_id_mapping_shape),
    FIELD_SUB(struct oci_mount, "gidMappings", gid_mappings, OCI_OBJECTS, oci_id_mapping_shape),
};

/* apply_option() - the last of contradicting options wins. Return: false: not one of the table. */
static bool apply_option(struct oci_mount *mount, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++) {
        const struct mount_option *option = &mount_options[i];

        if (strcmp(option->name, name) != 0)
            continue;
        mount->flags = (mount->flags | option->set) & ~option->clear;
        mount->clear = (mount->clear | option->clear) & ~option->set;
        mount->rec_set = (mount->rec_set | option->rec_set) & ~option->rec_clear;
        mount->rec_clear = (mount->rec_clear | option->rec_clear) & ~option->rec_set;
        if (option->propagation)
            mount->propagation = option->propagation;
        return true;
    }
    return false;
}

static int apply_options(struct oci_decoder *d, struct oci_mount *mount)
{
    const char **data = oci_decode_alloc(d, mount->options.count + 1, sizeof(*data));

    if (!data)
        return -ENOMEM;
    mount->data.items = data;
    for (size_t i = 0; i < mount->options.count; i++) {
        const char *option = mount->options.items[i];

        if (strcmp(option, "tmpcopyup") == 0)
            mount->tmpcopyup = true;
        else if (strcmp(option, "idmap") == 0 || strcmp(option, "ridmap") == 0)
            mount->idmap = true;
        else if (!apply_option(mount, option))
            data[mount->data.count++] = option;
    }
    return 0;
}

/* has_dotdot() - is one of the path's components ".."? */
static bool has_dotdot(const char *path)
{
    while (*path) {
        size_t n = strcspn(path, "/");

        if (n == 2 && path[0] == '.' && path[1] == '.')
            return true;
        path += n;
        path += strspn(path, "/");
    }
    return false;
}

static int check_mount(struct oci_decoder *d, void *object)
{
    struct oci_mount *mount = object;
    int r = apply_options(d, mount);

    if (r)
        return r;
    if (mount->destination[0] != '/')
        return oci_decode_fail(d, "destination", "must be an absolute path, is '%s'",
                               mount->destination);
    if (has_dotdot(mount->destination))
        return oci_decode_fail(d, "destination", "must not contain '..', is '%s'",
                               mount->destination);
    if (mount->type && strcmp(mount->type, "bind") == 0)
        mount->flags |= OCI_MOUNT_BIND;
    if (mount->flags & OCI_MOUNT_BIND)
        mount->type = "bind";
    if (!mount->type || mount->type[0] == '\0')
        return oci_decode_fail(d, "type", "is missing, and no option says bind");
    if (mount->source && mount->source[0] == '\0')
        mount->source = NULL;
    if (!mount->source && (mount->flags & OCI_MOUNT_BIND))
        return oci_decode_fail(d, "source", "is missing; a bind mount needs one");
    return 0;
}

const struct oci_shape oci_mount_shape = OCI_SHAPE(struct oci_mount, mount_fields, check_mount);
