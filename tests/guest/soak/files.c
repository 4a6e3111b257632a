/* Loads: files and directories beside a model of them, and the locks on them. */
#include "tests/guest/soak/soak.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { MODEL_MAX = 100000 };

/* A file and what should be in it. */
struct model {
    int fd;
    size_t size;
    unsigned char *bytes; /* MODEL_MAX, zeroes beyond size */
};

static void model_write(struct soak *s, struct model *m, bool append)
{
    size_t at = append ? m->size : soak_below(s, MODEL_MAX - 20000), n = 1 + soak_below(s, 9000);

    if (at + n > MODEL_MAX)
        return;
    soak_fill(m->bytes + at, n, s->random);
    if (append) {
        EXPECT_OK(lseek(m->fd, 0, SEEK_END));
        EXPECT_EQ(write(m->fd, m->bytes + at, n), n);
    } else {
        EXPECT_EQ(pwrite(m->fd, m->bytes + at, n, (off_t)at), n);
    }
    m->size = at + n > m->size ? at + n : m->size;
}

static void model_read(struct soak *s, struct model *m)
{
    size_t at = soak_below(s, MODEL_MAX), most = 1 + soak_below(s, 12000);
    size_t expected = at >= m->size ? 0 : m->size - at < most ? m->size - at : most;
    unsigned char buf[12000];

    EXPECT_EQ(pread(m->fd, buf, most, (off_t)at), expected);
    EXPECT(memcmp(buf, m->bytes + at, expected) == 0);
}

static void model_truncate(struct soak *s, struct model *m)
{
    size_t size = soak_below(s, MODEL_MAX);

    EXPECT_OK(ftruncate(m->fd, (off_t)size));
    if (size < m->size)
        memset(m->bytes + size, 0, m->size - size);
    m->size = size;
}

static void model_punch(struct soak *s, struct model *m)
{
    size_t at = soak_below(s, MODEL_MAX / 2), n = 1 + soak_below(s, 20000);

    if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n) < 0)
        EXPECT_EQ(errno, EOPNOTSUPP);
    else
        memset(m->bytes + at, 0, n);
    if (soak_coin(s, 2) && fallocate(m->fd, 0, (off_t)at, (off_t)n) == 0)
        m->size = at + n > m->size ? at + n : m->size;
}

/* model_copy() - within the kernel, forwards and without overlap */
static void model_copy(struct soak *s, struct model *m)
{
    size_t from = soak_below(s, 30000), n = 1 + soak_below(s, 20000), to = 60000;
    off_t in = (off_t)from, out = (off_t)to;
    size_t expected = from >= m->size ? 0 : m->size - from < n ? m->size - from : n;
    ssize_t got;

    n = expected ? expected : n; /* the file grows: what is read must not be what was written */
    if (soak_coin(s, 2)) {
        got = copy_file_range(m->fd, &in, m->fd, &out, n, 0);
    } else {
        EXPECT_OK(lseek(m->fd, out, SEEK_SET));
        got = sendfile(m->fd, m->fd, &in, n);
    }
    REQUIRE_OK(got);
    EXPECT_LE((size_t)got, expected);
    EXPECT_EQ(got > 0, expected > 0);
    EXPECT_EQ(in, from + (size_t)got);
    memmove(m->bytes + to, m->bytes + from, (size_t)got);
    m->size = got && to + (size_t)got > m->size ? to + (size_t)got : m->size;
}

/* check_model() - the whole of it, and its size as every call tells it */
static void check_model(const struct model *m)
{
    unsigned char buf[8192];
    struct stat st;
    size_t at = 0;
    ssize_t n;

    EXPECT_OK(fstat(m->fd, &st));
    EXPECT_EQ(st.st_size, m->size);
    EXPECT_EQ(lseek(m->fd, 0, SEEK_END), m->size);
    EXPECT_OK(lseek(m->fd, 0, SEEK_SET));
    while ((n = read(m->fd, buf, sizeof(buf))) > 0) {
        REQUIRE(at + (size_t)n <= m->size);
        EXPECT(memcmp(buf, m->bytes + at, (size_t)n) == 0);
        at += (size_t)n;
    }
    EXPECT_EQ(at, m->size);
}

LOAD(file_model)
{
    struct model m = {.bytes = calloc(1, MODEL_MAX)};
    char path[256];

    soak_path(s, "model", path);
    m.fd = (int)REQUIRE_OK(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (soak_coin(s, 2))
        EXPECT_OK(unlink(path));
    for (uint32_t i = 10 + soak_below(s, 40); i > 0; i--) {
        switch (soak_below(s, 7)) {
        case 0: model_write(s, &m, true); break;
        case 1: model_truncate(s, &m); break;
        case 2: model_punch(s, &m); break;
        case 3: model_copy(s, &m); break;
        case 4: model_write(s, &m, false); break;
        default: model_read(s, &m);
        }
    }
    check_model(&m);
    close(m.fd);
    if (access(path, F_OK) == 0) {
        m.fd = (int)REQUIRE_OK(open(path, O_RDONLY | O_CLOEXEC));
        check_model(&m);
        close(m.fd);
        EXPECT_OK(unlink(path));
    }
    free(m.bytes);
}

/* check_names() - the directory holds exactly those names */
static void check_names(const char *path, const bool *there, unsigned int n)
{
    bool seen[64] = {false};
    struct dirent *entry;
    DIR *dir = opendir(path);

    REQUIRE(dir);
    while ((entry = readdir(dir))) {
        unsigned int i;

        if (entry->d_name[0] == '.')
            continue;
        i = (unsigned int)strtoul(entry->d_name + 1, NULL, 10);
        if (EXPECT(i < n && there[i] && !seen[i]))
            seen[i] = true;
    }
    closedir(dir);
    for (unsigned int i = 0; i < n; i++)
        EXPECT_EQ(seen[i], there[i]);
}

/* Names are made, linked, renamed over each other, exchanged and removed. */
LOAD(names)
{
    enum { NAMES = 24 };
    bool there[NAMES] = {false};
    struct stat st;
    char a[256], b[256], name[16];

    for (uint32_t i = 40 + soak_below(s, 60); i > 0; i--) {
        uint32_t x = soak_below(s, NAMES), y = soak_below(s, NAMES);

        snprintf(name, sizeof(name), "n%u", x);
        soak_path(s, name, a);
        snprintf(name, sizeof(name), "n%u", y);
        soak_path(s, name, b);
        switch (soak_below(s, 6)) {
        case 0:
            close((int)EXPECT_OK(open(a, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
            there[x] = true;
            break;
        case 1:
            if (there[x])
                EXPECT_OK(unlink(a));
            else
                EXPECT_ERRNO(unlink(a), ENOENT);
            there[x] = false;
            break;
        case 2:
            if (!there[x])
                EXPECT_ERRNO(rename(a, b), ENOENT);
            else {
                /* Two names of one file: rename does nothing. */
                struct stat other = {0};
                bool same = there[y] && stat(a, &st) == 0 && stat(b, &other) == 0 &&
                            st.st_ino == other.st_ino;

                EXPECT_OK(rename(a, b));
                there[x] = same;
                there[y] = true;
            }
            break;
        case 3:
            if (!there[x])
                EXPECT_ERRNO(link(a, b), ENOENT);
            else if (there[y])
                EXPECT_ERRNO(link(a, b), EEXIST);
            else {
                EXPECT_OK(link(a, b));
                EXPECT_OK(stat(a, &st));
                EXPECT_GE(st.st_nlink, 2u);
                there[y] = true;
            }
            break;
        case 4:
            if (there[x] && there[y])
                EXPECT_OK(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
            break;
        default: check_names(s->dir, there, NAMES);
        }
    }
    check_names(s->dir, there, NAMES);
    for (uint32_t x = 0; x < NAMES; x++) {
        snprintf(name, sizeof(name), "n%u", x);
        if (there[x])
            EXPECT_OK(unlink(soak_path(s, name, a)));
    }
}

LOAD(directories)
{
    char a[256], b[256];
    struct stat st;

    EXPECT_OK(mkdir(soak_path(s, "one", a), 0700));
    EXPECT_OK(mkdir(soak_path(s, "one/two", b), 0700));
    EXPECT_ERRNO(rmdir(a), ENOTEMPTY);
    EXPECT_ERRNO(rename(a, b), EINVAL);
    guest_make_file(soak_path(s, "one/two/file", b), "text");
    EXPECT_OK(rename(a, soak_path(s, "three", b)));
    EXPECT_ERRNO(stat(a, &st), ENOENT);
    EXPECT_OK(stat(soak_path(s, "three/two/file", a), &st));
    EXPECT_EQ(st.st_size, 4);
    EXPECT_OK(symlink("three/two", soak_path(s, "link", b)));
    EXPECT_OK(stat(soak_path(s, "link/file", b), &st));
    EXPECT_OK(unlink(b));
    EXPECT_ERRNO(stat(a, &st), ENOENT);
    EXPECT_OK(unlink(soak_path(s, "link", a)));
    EXPECT_OK(rmdir(soak_path(s, "three/two", a)));
    EXPECT_OK(rmdir(soak_path(s, "three", a)));
}

/* One process at a time adds to a number in a file, under each kind of lock. */
static void add_under_lock(const char *path, int kind, int rounds)
{
    int fd = (int)REQUIRE_OK(open(path, O_RDWR | O_CLOEXEC));

    for (int i = 0; i < rounds; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 8};
        uint64_t n;

        if (kind == 0)
            EXPECT_OK(flock(fd, LOCK_EX));
        else
            EXPECT_OK(fcntl(fd, kind == 1 ? F_SETLKW : F_OFD_SETLKW, &lock));
        EXPECT_EQ(pread(fd, &n, sizeof(n), 0), sizeof(n));
        n++;
        EXPECT_EQ(pwrite(fd, &n, sizeof(n), 0), sizeof(n));
        lock.l_type = F_UNLCK;
        if (kind == 0)
            EXPECT_OK(flock(fd, LOCK_UN));
        else
            EXPECT_OK(fcntl(fd, kind == 1 ? F_SETLK : F_OFD_SETLK, &lock));
    }
    close(fd);
}

LOAD(locks)
{
    int kind = (int)soak_below(s, 3);
    uint64_t n = 0;
    char path[256];
    pid_t pids[3];
    int fd = (int)REQUIRE_OK(open(soak_path(s, "locked", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600));

    EXPECT_EQ(write(fd, &n, sizeof(n)), sizeof(n));
    for (int i = 0; i < 3; i++) {
        SOAK_CHILD (pids[i], -1)
            add_under_lock(path, kind, 20);
    }
    for (int i = 0; i < 3; i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_EQ(pread(fd, &n, sizeof(n), 0), sizeof(n));
    EXPECT_EQ(n, 60);
    close(fd);
    EXPECT_OK(unlink(path));
}

/* What many append at once is all there, each piece whole. */
LOAD(appends)
{
    enum { WRITERS = 3, LINES = 20 };
    int fd, seen[WRITERS] = {0};
    char path[256], line[8];
    pid_t pids[WRITERS];

    fd = (int)REQUIRE_OK(open(soak_path(s, "log", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    for (int w = 0; w < WRITERS; w++) {
        SOAK_CHILD (pids[w], -1) {
            int own = (int)REQUIRE_OK(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));

            for (int i = 0; i < LINES; i++) {
                snprintf(line, sizeof(line), "%d %04d\n", w, i);
                EXPECT_EQ(write(own, line, 7), 7);
            }
        }
    }
    for (int w = 0; w < WRITERS; w++)
        EXPECT_CHILD_OK(pids[w]);
    while (soak_read_all(fd, line, 7) == 7) {
        int w = line[0] - '0';

        REQUIRE(w >= 0 && w < WRITERS);
        EXPECT_EQ((int)strtol(line + 2, NULL, 10), seen[w]++);
    }
    for (int w = 0; w < WRITERS; w++)
        EXPECT_EQ(seen[w], LINES);
    close(fd);
    EXPECT_OK(unlink(path));
}

LOAD(nameless)
{
    int fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[256], proc[64], buf[8];
    struct stat st;

    if (fd < 0 && errno == EOPNOTSUPP)
        return;
    REQUIRE_OK(fd);
    EXPECT_EQ(write(fd, "content", 7), 7);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_nlink, 0);
    if (soak_coin(s, 2)) {
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        EXPECT_OK(linkat(AT_FDCWD, proc, AT_FDCWD, soak_path(s, "named", path), AT_SYMLINK_FOLLOW));
        EXPECT_EQ(guest_slurp(path, buf, sizeof(buf)), 7);
        EXPECT_OK(unlink(path));
    }
    close(fd);
}

LOAD(attributes)
{
    char path[256], value[64];
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    struct stat st;

    guest_make_file(soak_path(s, "file", path), "x");
    EXPECT_OK(chmod(path, 0640));
    EXPECT_OK(utimensat(AT_FDCWD, path, times, 0));
    EXPECT_OK(stat(path, &st));
    EXPECT_EQ(st.st_mode & 07777, 0640);
    EXPECT_EQ(st.st_mtim.tv_sec, 2000);
    EXPECT_EQ(st.st_mtim.tv_nsec, 7);
    if (setxattr(path, "user.soak", "value", 5, 0) == 0) {
        EXPECT_EQ(getxattr(path, "user.soak", value, sizeof(value)), 5);
        EXPECT_MEMEQ(value, "value", 5);
        EXPECT_OK(removexattr(path, "user.soak"));
    } else {
        EXPECT(errno == EOPNOTSUPP || errno == EPERM);
    }
    EXPECT_OK(unlink(path));
}

struct walkers {
    const struct soak *soak;
    _Atomic(uint32_t) ids, made;
};

/* walker() - makes and removes names that others pass on their way */
static void *walker(void *arg)
{
    struct walkers *w = arg;
    uint32_t id = w->ids++;
    char name[32], path[256];

    for (int i = 0; i < 10; i++) {
        struct stat st;

        snprintf(name, sizeof(name), "w%u.%d", id, i);
        EXPECT_OK(mkdir(soak_path(w->soak, name, path), 0700));
        w->made++;
        snprintf(name, sizeof(name), "w%u.%d", (id + 1) % 4, i);
        EXPECT(stat(soak_path(w->soak, name, path), &st) == 0 || errno == ENOENT);
        snprintf(name, sizeof(name), "w%u.%d", id, i);
        EXPECT_OK(rmdir(soak_path(w->soak, name, path)));
    }
    return NULL;
}

LOAD(walk_race)
{
    struct walkers w = {.soak = s};

    soak_threads(4, walker, &w);
    EXPECT_EQ(w.made, 40);
}
