/*
 * The folder of a container, <root>/<id>, mode 0700:
 *   lock          flocked by who changes the container; held during all of create
 *   state.json    replaced as a whole by rename
 *   config.json   the bytes that create read, since the bundle may change
 *   exit          made empty by create; the Sentry writes "N\n" there when init has ended
 *   control.sock  the Sentry's control socket
 *
 * Status is never merely what is written: "creating" whose creator is gone, and anything whose
 * Sentry is gone or whose exit file has been written, is stopped. A crash leaves a folder in
 * which any file may be missing; such a one can be opened for delete --force and by nobody else.
 */
#include "cmd/runsc/container.h"

#include "cmd/runsc/container_state.h"
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"
#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

static const char *const status_names[] = {"creating", "created", "running", "paused", "stopped"};

int container_check_id(const char *id)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
    size_t n = strlen(id);

    if (n == 0 || id[strspn(id, allowed)] || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        return error_set(-EINVAL,
                         "invalid container id '%s': use letters, digits and any of _+.- only", id);
    if (n > 200)
        return error_set(-EINVAL, "invalid container id: it has %zu characters, more than 200", n);
    return 0;
}

/* allocate() - an object without a folder. */
static struct container *allocate(const char *root, const char *id)
{
    struct container *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->dir = c->lock = -1;
    c->id = strdup(id);
    c->root = strdup(root);
    if (c->id && c->root)
        return c;
    container_close(c);
    return NULL;
}

void container_close(struct container *c)
{
    if (!c)
        return;
    clean_fd(&c->lock);
    clean_fd(&c->dir);
    for (size_t i = 0; i < c->cgroup_count; i++)
        free(c->cgroups[i]);
    free(c->bundle);
    free(c->rootfs);
    free(c->created);
    free(c->root);
    free(c->id);
    free(c);
}

void container_closep(struct container **c)
{
    container_close(*c);
}

/* take_lock() - opens and flocks the lock file. Return: -ENOENT if the folder went meanwhile. */
static int take_lock(struct container *c)
{
    int fd = host_file_open(c->dir, "lock", O_RDWR | O_CREAT, 0600), r;
    struct stat st;

    if (fd < 0)
        return fd;
    r = host_file_lock(fd, LOCK_EX);
    if (!r && fstat(fd, &st) == 0 && st.st_nlink == 0)
        r = -ENOENT;
    if (r) {
        close(fd);
        return r;
    }
    c->lock = fd;
    return 0;
}

int container_create(const char *root, const char *id, struct container **out)
{
    auto_container struct container *c = allocate(root, id);
    auto_fd int base = -1;
    int r = container_check_id(id);

    if (r)
        return r;
    if (!c)
        return error_set(-ENOMEM, "out of memory");
    r = host_file_mkdirs(root, 0711);
    if (!r)
        r = base = host_file_open(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0);
    if (r < 0)
        return error_errno(r, "can't use %s as the folder of containers (--root)", root);
    r = host_file_mkdir(base, id, 0700);
    if (r == -EEXIST)
        return error_set(r, "container \"%s\" already exists; delete it or use another id", id);
    if (!r)
        r = c->dir = host_file_open(base, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r >= 0)
        r = take_lock(c);
    if (r < 0)
        return error_errno(r, "can't make the folder %s/%s", root, id);
    *out = take(c);
    return 0;
}

static int does_not_exist(const char *id)
{
    return error_set(-ENOENT, "container \"%s\" does not exist", id);
}

int container_open(const char *root, const char *id, bool lock, bool broken_too,
                   struct container **out)
{
    auto_container struct container *c = allocate(root, id);
    auto_free char *path = NULL;
    int r = container_check_id(id);

    if (r)
        return r;
    if (!c || asprintf(&path, "%s/%s", root, id) < 0)
        return error_set(-ENOMEM, "out of memory");
    r = c->dir = host_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r >= 0 && lock)
        r = take_lock(c);
    if (r == -ENOENT || r == -ENOTDIR)
        return does_not_exist(id);
    if (r < 0)
        return error_errno(r, "container \"%s\": can't open %s", id, path);
    r = container_state_load(c);
    if (r == -ENOENT && !broken_too)
        return does_not_exist(id);
    if (r && !broken_too)
        return error_prefix(r, "container \"%s\": ", id);
    *out = take(c);
    return 0;
}

int container_save(struct container *c)
{
    int r = container_state_save(c);

    return r ? error_errno(r, "container \"%s\": can't write its state", c->id) : 0;
}

int container_remove(struct container *c)
{
    auto_fd int base = host_file_open(AT_FDCWD, c->root, O_PATH | O_DIRECTORY, 0);
    char **names = NULL;
    size_t count = 0;
    int r = base < 0 ? base : host_file_names(c->dir, &names, &count);

    /* state.json last but one: until then it can be found again */
    for (size_t i = 0; i < count && !r; i++) {
        if (strcmp(names[i], "state.json") != 0 && strcmp(names[i], "lock") != 0)
            r = host_file_unlink(c->dir, names[i], 0);
    }
    host_file_names_free(names, count);
    if (!r)
        host_file_unlink(c->dir, "state.json", 0);
    if (!r)
        host_file_unlink(c->dir, "lock", 0);
    if (!r)
        r = host_file_unlink(base, c->id, AT_REMOVEDIR);
    if (r == -ENOENT)
        r = 0; /* somebody else's delete came first */
    return r ? error_errno(r, "container \"%s\": can't remove its folder", c->id) : 0;
}

const char *container_status_name(enum container_status status)
{
    return status_names[status];
}

static bool alive(const struct process_ref *ref)
{
    auto_fd int fd = process_ref_open(ref);

    return fd >= 0;
}

enum container_status container_status(const struct container *c)
{
    switch (c->status) {
    case CONTAINER_CREATING: return alive(&c->creator) ? CONTAINER_CREATING : CONTAINER_STOPPED;
    case CONTAINER_STOPPED: return CONTAINER_STOPPED;
    default:
        if (container_exit_status(c) >= 0 || !alive(&c->sentry))
            return CONTAINER_STOPPED;
        return c->status;
    }
}

int container_require(const struct container *c, unsigned int allowed, const char *verb)
{
    enum container_status status = container_status(c);
    char names[64] = "";

    if (allowed & 1u << status)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(status_names); i++) {
        size_t at = strlen(names);

        if (allowed & 1u << i)
            snprintf(names + at, sizeof(names) - at, "%s%s", at ? " or " : "", status_names[i]);
    }
    return error_set(-EBUSY, "cannot %s container \"%s\": it is %s, must be %s%s", verb, c->id,
                     status_names[status], names,
                     status == CONTAINER_STOPPED ? " (container not running)" : "");
}

int container_exit_status(const struct container *c)
{
    auto_free char *text = NULL;
    size_t len;
    char *end;
    long n;

    if (host_file_read(c->dir, "exit", 16, &text, &len) || len < 2 || text[len - 1] != '\n')
        return -ENOENT;
    n = strtol(text, &end, 10);
    if (end != text + len - 1 || n < 0 || n > 255)
        return -ENOENT;
    return (int)n;
}

int container_spec(const struct container *c, struct oci_spec **out)
{
    auto_free char *text = NULL;
    struct oci_error err;
    size_t len;
    int r = host_file_read(c->dir, "config.json", OCI_TEXT_MAX, &text, &len);

    if (r)
        return error_errno(r, "container \"%s\": can't read its config.json", c->id);
    r = oci_spec_parse(text, len, out, &err);
    return r ? error_set(r, "container \"%s\": %s", c->id, err.text) : 0;
}

struct json_object *container_state_json(const struct container *c, enum container_status status)
{
    struct json_object *json = json_object_new_object(), *annotations = NULL;
    struct oci_spec *spec = NULL;

    if (!json)
        return NULL;
    json_object_object_add(json, "ociVersion", json_object_new_string("1.1.0"));
    json_object_object_add(json, "id", json_object_new_string(c->id));
    json_object_object_add(json, "status", json_object_new_string(status_names[status]));
    json_object_object_add(json, "pid",
                           json_object_new_int(status == CONTAINER_STOPPED ? 0 : c->sentry.pid));
    json_object_object_add(json, "bundle", json_object_new_string(c->bundle ? c->bundle : ""));
    json_object_object_add(json, "rootfs", json_object_new_string(c->rootfs ? c->rootfs : ""));
    json_object_object_add(json, "created", json_object_new_string(c->created ? c->created : ""));
    if (container_spec(c, &spec) == 0 &&
        json_object_object_get_ex(spec->json, "annotations", &annotations))
        json_object_object_add(json, "annotations", json_object_get(annotations));
    oci_spec_free(spec);
    return json;
}

int container_names(const char *root, char ***names, size_t *count)
{
    auto_fd int base = host_file_open(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
    size_t kept = 0;
    int r;

    *names = NULL;
    *count = 0;
    if (base == -ENOENT)
        return 0;
    r = base < 0 ? base : host_file_names(base, names, count);
    if (r)
        return error_errno(r, "can't read the folder of containers %s (--root)", root);
    for (size_t i = 0; i < *count; i++) {
        struct stat st;

        if (container_check_id((*names)[i]) == 0 &&
            host_file_stat(base, (*names)[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
            (*names)[kept++] = (*names)[i];
        else
            free((*names)[i]);
    }
    *count = kept;
    return 0;
}
