/* Host calls about files, for the command line; see host_file.h. */
#include "cmd/runsc/host_file.h"

#include "sentry/base/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static int result(int r)
{
    return r < 0 ? -errno : r;
}

int host_file_open(int dir, const char *path, int flags, mode_t mode)
{
    return result(openat(dir, path, flags | O_CLOEXEC, mode));
}

int host_file_open_beneath(int dir, const char *path, int flags)
{
    struct open_how how = {.flags = (u64)flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    return result((int)syscall(SYS_openat2, dir, path, &how, sizeof(how)));
}

int host_file_mkdir(int dir, const char *path, mode_t mode)
{
    return result(mkdirat(dir, path, mode));
}

int host_file_unlink(int dir, const char *path, int flags)
{
    return result(unlinkat(dir, path, flags));
}

int host_file_stat(int dir, const char *path, struct stat *st, int flags)
{
    return result(fstatat(dir, path, st, flags));
}

int host_file_link(int fd, int dir, const char *name)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return result(linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW));
}

int host_file_lock(int fd, int operation)
{
    int r;

    do {
        r = result(flock(fd, operation));
    } while (r == -EINTR);
    return r;
}

int host_file_dup(int from, int to)
{
    if (from == to)
        return result(fcntl(from, F_SETFD, 0));
    return result(dup2(from, to));
}

int host_file_mkdirs(const char *path, mode_t mode)
{
    auto_free char *copy = strdup(path);
    int r = 0;

    if (!copy)
        return -ENOMEM;
    for (char *p = copy + 1; *copy; p++) {
        bool last = *p == '\0';

        if (*p != '/' && !last)
            continue;
        *p = '\0';
        r = host_file_mkdir(AT_FDCWD, copy, mode);
        if (r && r != -EEXIST)
            return r;
        if (last)
            break;
        *p = '/';
    }
    return 0;
}

int host_file_write(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int host_file_put(int dir, const char *path, const char *text)
{
    auto_fd int fd = host_file_open(dir, path, O_WRONLY, 0);

    if (fd < 0)
        return fd;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int host_file_create(int dir, const char *name, const char *text, size_t len, mode_t mode)
{
    auto_fd int fd = host_file_open(dir, name, O_WRONLY | O_CREAT | O_EXCL, mode);

    return fd < 0 ? fd : host_file_write(fd, text, len);
}

int host_file_replace(int dir, const char *name, const char *text, size_t len, mode_t mode)
{
    auto_free char *temporary = NULL;
    auto_fd int fd = -1;
    int r;

    if (asprintf(&temporary, "%s.%d~", name, (int)getpid()) < 0)
        return -ENOMEM;
    fd = host_file_open(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    if (fd < 0)
        return fd;
    r = host_file_write(fd, text, len);
    if (!r)
        r = result(renameat(dir, temporary, dir, name));
    if (r)
        host_file_unlink(dir, temporary, 0);
    return r;
}

int host_file_read(int dir, const char *path, size_t max, char **text, size_t *len)
{
    auto_fd int fd = host_file_open(dir, path, O_RDONLY | O_NONBLOCK, 0);
    auto_free char *buf = NULL;
    size_t got = 0, room = 4096;
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (st.st_size > 0 && (size_t)st.st_size < max)
        room = (size_t)st.st_size + 1;
    for (;;) {
        char *grown = realloc(buf, room + 1);
        ssize_t n;

        if (!grown)
            return -ENOMEM;
        buf = grown;
        n = read(fd, buf + got, room - got);
        if (n < 0)
            return -errno;
        got += (size_t)n;
        if (got > max)
            return -EFBIG;
        if (n == 0)
            break;
        if (got == room)
            room *= 2;
    }
    buf[got] = '\0';
    *text = take(buf);
    if (len)
        *len = got;
    return 0;
}

int host_file_memfd(const char *name, const char *text, size_t len, bool sealed)
{
    auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int r;

    if (fd < 0)
        return -errno;
    r = host_file_write(fd, text, len);
    if (r)
        return r;
    if (sealed &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return -errno;
    return take_fd(fd);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* append() - a copy of a name at the end of the array. */
static int append(char ***names, size_t *count, const char *name)
{
    char **grown = reallocarray(*names, *count + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    *names = grown;
    grown[*count] = strdup(name);
    if (!grown[*count])
        return -ENOMEM;
    (*count)++;
    return 0;
}

int host_file_names(int dir, char ***names, size_t *count)
{
    int fd = host_file_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
    char **found = NULL;
    struct dirent *entry;
    size_t n = 0;
    int r = 0;
    DIR *d;

    if (fd < 0)
        return fd;
    d = fdopendir(fd);
    if (!d) {
        close(fd);
        return -ENOMEM;
    }
    while (!r && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = append(&found, &n, entry->d_name);
    }
    closedir(d);
    if (r) {
        host_file_names_free(found, n);
        return r;
    }
    if (n)
        qsort(found, n, sizeof(*found), by_name);
    *names = found;
    *count = n;
    return 0;
}

void host_file_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
