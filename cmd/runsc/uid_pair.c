/*
 * Reservations of host ids. Each is a file in one folder for the whole host (containers of
 * different --root folders must not share ids either), named by the first of the two ids, that
 * says whose it is: the path of the container's folder. To reserve is to link a complete file to a
 * free name, which the host does for one caller only. A reservation whose container's folder is
 * gone is stale; it is removed under a lock of the whole folder, and its name then free for all.
 */
#include "cmd/runsc/uid_pair.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define OWNER_BYTES_MAX 8192

static int parse_range(const char *range, u64 *first, u64 *last)
{
    char *end;

    errno = 0;
    *first = strtoull(range, &end, 10);
    if (errno || end == range || *end != '-')
        return error_set(-EINVAL, "--uid-range: must be FIRST-LAST, is '%s'", range);
    range = end + 1;
    *last = strtoull(range, &end, 10);
    if (errno || end == range || *end || *first < 1 || *last >= UINT32_MAX || *last <= *first)
        return error_set(-EINVAL, "--uid-range: must be two ids, the first above 0 and lower");
    return 0;
}

static u64 hash(const char *text)
{
    u64 h = 1469598103934665603ull;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211ull;
    return h;
}

/* is_stale() - is the reservation's container gone? */
static bool is_stale(int folder, const char *name)
{
    auto_free char *owner = NULL;
    struct stat st;

    if (host_file_read(folder, name, OWNER_BYTES_MAX, &owner, NULL))
        return false;
    return host_file_stat(AT_FDCWD, owner, &st, 0) == -ENOENT;
}

/* link_new() - a file with all its contents at once, and no trace if it fails. 0, -EEXIST ... */
static int link_new(int folder, const char *name, const char *owner)
{
    auto_fd int fd = host_file_open(folder, ".", O_WRONLY | O_TMPFILE, 0600);
    int r = fd < 0 ? fd : host_file_write(fd, owner, strlen(owner));

    return r ? r : host_file_link(fd, folder, name);
}

/* replace_stale() - takes over a stale reservation. Return: true if it is ours now. */
static bool replace_stale(int folder, const char *name, const char *owner)
{
    auto_fd int lock = -1;

    if (!is_stale(folder, name))
        return false;
    lock = host_file_open(folder, "lock", O_RDWR | O_CREAT, 0600);
    if (lock < 0 || host_file_lock(lock, LOCK_EX) || !is_stale(folder, name))
        return false;
    host_file_unlink(folder, name, 0);
    return link_new(folder, name, owner) == 0;
}

int uid_pair_take(const char *folder, const char *range, const char *root, const char *id,
                  int (*record)(void *arg, u32 first), void *arg)
{
    auto_free char *owner = NULL, *path = realpath(root, NULL);
    u64 low = 0, high = 0, pairs, start;
    auto_fd int dir = -1;
    int r = parse_range(range, &low, &high);

    if (r)
        return r;
    if (asprintf(&owner, "%s/%s", path ? path : root, id) < 0)
        return error_set(-ENOMEM, "out of memory");
    r = host_file_mkdirs(folder, 0700);
    if (!r)
        r = dir = host_file_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (r < 0)
        return error_errno(r, "can't use %s, where host ids are reserved", folder);
    low += low % 2; /* so that pairs of overlapping ranges are the same pairs */
    pairs = (high - low + 1) / 2;
    if (!pairs)
        return error_set(-EINVAL, "--uid-range: '%s' has no even id with its successor", range);
    start = hash(owner) % pairs;
    for (u64 i = 0; i < pairs; i++) {
        u64 candidate = low + (start + i) % pairs * 2;
        struct stat st;
        char name[32];

        snprintf(name, sizeof(name), "%llu", (unsigned long long)candidate);
        if (host_file_stat(dir, name, &st, 0) == 0 && !is_stale(dir, name))
            continue;
        r = record(arg, (u32)candidate);
        if (r)
            return r;
        r = link_new(dir, name, owner);
        if (!r || (r == -EEXIST && replace_stale(dir, name, owner)))
            return 0;
        if (r != -EEXIST)
            return error_errno(r, "can't reserve host ids in %s", folder);
    }
    return error_set(-EAGAIN,
                     "all %llu pairs of host ids are in use; give a larger --uid-range than %s",
                     (unsigned long long)pairs, range);
}

void uid_pair_release(const char *folder, u32 first, const char *root, const char *id)
{
    auto_free char *owner = NULL, *text = NULL, *path = realpath(root, NULL);
    auto_fd int dir = host_file_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    char name[32];

    if (dir < 0 || asprintf(&owner, "%s/%s", path ? path : root, id) < 0)
        return;
    snprintf(name, sizeof(name), "%u", first);
    if (host_file_read(dir, name, OWNER_BYTES_MAX, &text, NULL) == 0 && strcmp(text, owner) == 0)
        host_file_unlink(dir, name, 0);
}
