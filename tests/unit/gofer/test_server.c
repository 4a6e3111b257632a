/* The gofer's operations, asked through the channel. */
#include "tests/unit/gofer/fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct fixture f;
static u64 root;

static void start(void)
{
    fixture_start(&f);
    root = fixture_root(&f);
}

static void stop(void)
{
    fixture_stop(&f);
}

TestSuite(server, .init = start, .fini = stop);

static const struct proto_attr *attrs(const struct channel_call *c)
{
    return c->out;
}

Test(server, walk_answers_each_step)
{
    struct channel_call *c;

    mkdirat(f.dirfd, "a", 0755);
    mkdirat(f.dirfd, "a/b", 0711);
    fixture_write(&f, "a/b/c", "hello");
    c = fixture_call(PROTO_WALK, root, "a/b/c");
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->out_len == 3 * sizeof(struct proto_attr));
    cr_assert(attrs(c)[0].mode == (S_IFDIR | 0755));
    cr_assert(attrs(c)[1].mode == (S_IFDIR | 0711));
    cr_assert(attrs(c)[2].mode == (S_IFREG | 0644) && attrs(c)[2].size == 5);
    cr_assert(!memcmp(&c->reply.attr, &attrs(c)[2], sizeof(struct proto_attr)));

    c = fixture_call(PROTO_WALK, root, "a/x/c");
    cr_assert(fixture_run(&f, c) == -ENOENT);
    cr_assert(c->out_len == sizeof(struct proto_attr));
    c = fixture_call(PROTO_WALK, root, "a/b/c/d");
    cr_assert(fixture_run(&f, c) == -ENOTDIR);
    cr_assert(c->out_len == 3 * sizeof(struct proto_attr));
}

Test(server, walk_gives_handles_of_directories_only)
{
    struct channel_call *c;
    u64 dir;

    mkdirat(f.dirfd, "a", 0755);
    fixture_write(&f, "a/c", "x");
    c = fixture_call(PROTO_WALK, root, "a");
    c->req.flags = PROTO_WANT_HANDLE;
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->reply.flags & PROTO_HAS_HANDLE);
    dir = c->reply.handle;
    c = fixture_call(PROTO_WALK, dir, "c");
    c->req.flags = PROTO_WANT_HANDLE;
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(!(c->reply.flags & PROTO_HAS_HANDLE));
    cr_assert(c->reply.attr.size == 1);
    c = fixture_call(PROTO_RELEASE, 0, "");
    c->data[0] = &dir;
    c->data_len[0] = sizeof(dir);
    cr_assert(fixture_run(&f, c) == 0 && c->reply.arg[0] == 1);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, dir, "c")) == -EBADF);
}

static int open_fd(u64 handle, const char *path, u32 access)
{
    struct channel_call *c = fixture_call(PROTO_OPEN, handle, path);
    int r;

    c->req.arg[0] = access;
    c->want_fd = true;
    r = fixture_run(&f, c);
    return r < 0 ? r : c->fd;
}

Test(server, open_donates_the_asked_rights)
{
    char buf[8] = "";
    int fd;

    fixture_write(&f, "x", "abc");
    fd = open_fd(root, "x", PROTO_OPEN_READ);
    cr_assert(fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert(read(fd, buf, 8) == 3 && !strcmp(buf, "abc"));
    close(fd);
    fd = open_fd(root, "x", PROTO_OPEN_READ | PROTO_OPEN_WRITE);
    cr_assert(fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    close(fd);
    fd = open_fd(root, "x", PROTO_OPEN_WRITE);
    cr_assert(fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
    close(fd);
    cr_assert(open_fd(root, "x", 0) == -EINVAL);
    cr_assert(open_fd(root, "x", 7) == -EINVAL);
}

Test(server, open_donates_regular_files_only)
{
    mkdirat(f.dirfd, "dir", 0755);
    mkfifoat(f.dirfd, "fifo", 0644);
    cr_assert(symlinkat("dir", f.dirfd, "link") == 0);
    cr_assert(mknodat(f.dirfd, "null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    cr_assert(open_fd(root, "dir", PROTO_OPEN_READ) == -EISDIR);
    cr_assert(open_fd(root, "fifo", PROTO_OPEN_READ) == -ENXIO);
    cr_assert(open_fd(root, "link", PROTO_OPEN_READ) == -ELOOP);
    cr_assert(open_fd(root, "null", PROTO_OPEN_READ) == -ENXIO);
    cr_assert(open_fd(root, "", PROTO_OPEN_READ) == -EISDIR);
}

Test(server, nothing_leads_outside)
{
    char link[128];
    struct channel_call *c;

    snprintf(link, sizeof(link), "%s", f.outside);
    cr_assert(symlinkat(link, f.dirfd, "out") == 0);
    cr_assert(symlinkat("..", f.dirfd, "up") == 0);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, "out/file")) == -ENOTDIR);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, "up/tmp")) == -ENOTDIR);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, "..")) == -EINVAL);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, ".")) == -EINVAL);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, "up/../x")) == -EINVAL);
    cr_assert(open_fd(root, "out/file", PROTO_OPEN_READ) == -ENOTDIR);
    c = fixture_call(PROTO_WALK, root, "x");
    c->path[0] = "a/b";
    c->req.target[0].path_len = 4;
    cr_assert(fixture_run(&f, c) == -EINVAL);
    c = fixture_call(PROTO_WALK, root, "x");
    c->path[0] = "ab";
    c->req.target[0].path_len = 2;
    cr_assert(fixture_run(&f, c) == -EINVAL, "no NUL");
    c = fixture_call(PROTO_WALK, root, "x");
    c->path[0] = "\0";
    c->req.target[0].path_len = 1;
    cr_assert(fixture_run(&f, c) == -EINVAL, "empty component");
}

Test(server, create_belongs_to_the_guest_user)
{
    struct channel_call *c = fixture_call(PROTO_CREATE, root, "new");
    struct stat st;

    c->req.arg[0] = S_IFREG | 04755;
    c->req.arg[1] = 1234;
    c->req.arg[2] = 4321;
    c->req.arg[4] = PROTO_OPEN_READ | PROTO_OPEN_WRITE;
    c->want_fd = true;
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->reply.attr.uid == 1234 && c->reply.attr.gid == 4321);
    cr_assert(c->reply.attr.mode == (S_IFREG | 04755));
    cr_assert(write(c->fd, "ok", 2) == 2);
    close(c->fd);
    cr_assert(fstatat(f.dirfd, "new", &st, 0) == 0 && st.st_uid == 1234 && st.st_size == 2);
    cr_assert(fixture_run(&f, c) == -EEXIST);

    c = fixture_call(PROTO_CREATE, root, "dir");
    c->req.arg[0] = S_IFDIR | 0700;
    c->req.flags = PROTO_WANT_HANDLE;
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->reply.attr.uid == 0 && S_ISDIR(c->reply.attr.mode));
    cr_assert(c->reply.flags & PROTO_HAS_HANDLE);
    c = fixture_call(PROTO_CREATE, c->reply.handle, "fifo");
    c->req.arg[0] = S_IFIFO | 0600;
    cr_assert(fixture_run(&f, c) == 0 && S_ISFIFO(c->reply.attr.mode));
    c = fixture_call(PROTO_CREATE, root, "null");
    c->req.arg[0] = S_IFCHR | 0600;
    c->req.arg[3] = 1ull << 32 | 3;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.rdev_major == 1);
    cr_assert(c->reply.attr.rdev_minor == 3);
    c = fixture_call(PROTO_CREATE, root, "odd");
    c->req.arg[0] = 0170000;
    cr_assert(fixture_run(&f, c) == -EINVAL);
    cr_assert(fixture_run(&f, fixture_call(PROTO_CREATE, root, "")) == -EINVAL);
}

static int two(u32 op, const char *from, const char *to, u64 arg)
{
    char packed[256];
    struct channel_call *c = fixture_call(op, root, from);

    c->req.target[1].handle = root;
    c->req.target[1].path_len = path_pack(to, packed);
    c->path[1] = packed;
    c->req.arg[0] = arg;
    return fixture_run(&f, c);
}

Test(server, link_rename_remove)
{
    struct channel_call *c;
    struct stat st;

    fixture_write(&f, "x", "abc");
    mkdirat(f.dirfd, "d", 0755);
    cr_assert(two(PROTO_LINK, "x", "d/y", 0) == 0);
    cr_assert(fstatat(f.dirfd, "d/y", &st, 0) == 0 && st.st_nlink == 2);
    cr_assert(two(PROTO_LINK, "x", "d/y", 0) == -EEXIST);
    cr_assert(two(PROTO_RENAME, "x", "d/y", 1) == -EEXIST);
    cr_assert(two(PROTO_RENAME, "x", "z", 0) == 0);
    cr_assert(two(PROTO_RENAME, "z", "d", 2) == 0, "exchange");
    cr_assert(two(PROTO_RENAME, "z", "d", 4) == -EINVAL, "no whiteouts");
    cr_assert(two(PROTO_RENAME, "nope", "q", 0) == -ENOENT);
    c = fixture_call(PROTO_REMOVE, root, "z");
    cr_assert(fixture_run(&f, c) == -EISDIR);
    c = fixture_call(PROTO_REMOVE, root, "z");
    c->req.arg[0] = 1;
    cr_assert(fixture_run(&f, c) == -ENOTEMPTY);
    cr_assert(fixture_run(&f, fixture_call(PROTO_REMOVE, root, "z/y")) == 0);
    c = fixture_call(PROTO_REMOVE, root, "z");
    c->req.arg[0] = 1;
    cr_assert(fixture_run(&f, c) == 0);
}

Test(server, a_kept_file_lives_on)
{
    struct proto_times times = {.atime = 5, .mtime = 7};
    struct channel_call *c;
    u64 kept;
    int fd;

    fixture_write(&f, "x", "abc");
    c = fixture_call(PROTO_REMOVE, root, "x");
    c->req.flags = PROTO_KEEP;
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->reply.flags & PROTO_HAS_HANDLE);
    cr_assert(c->reply.attr.nlink == 0);
    kept = c->reply.handle;
    c = fixture_call(PROTO_SETATTR, kept, "");
    c->req.arg[0] = PROTO_SET_MODE | PROTO_SET_UID | PROTO_SET_ATIME | PROTO_SET_MTIME;
    c->req.arg[1] = 0600;
    c->req.arg[2] = 77;
    c->data[0] = &times;
    c->data_len[0] = sizeof(times);
    cr_assert(fixture_run(&f, c) == 0);
    cr_assert(c->reply.attr.mode == (S_IFREG | 0600) && c->reply.attr.uid == 77);
    cr_assert(c->reply.attr.mtime == 7);
    fd = open_fd(kept, "", PROTO_OPEN_READ);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert(open_fd(kept, "", PROTO_OPEN_READ | PROTO_OPEN_WRITE) == -ESTALE, "no more rights");
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, kept, "x")) == -ENOTDIR);
}

Test(server, setattr_changes_everything)
{
    static const char *const names[] = {"reg", "dir", "fifo", "null"};
    struct proto_times times = {.atime = 5, .mtime = 7, .mtime_nsec = 9};

    fixture_write(&f, "reg", "abcdef");
    mkdirat(f.dirfd, "dir", 0755);
    mkfifoat(f.dirfd, "fifo", 0644);
    cr_assert(mknodat(f.dirfd, "null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct channel_call *c = fixture_call(PROTO_SETATTR, root, names[i]);
        const struct proto_attr *a = &c->reply.attr;

        c->req.arg[0] =
            PROTO_SET_MODE | PROTO_SET_UID | PROTO_SET_GID | PROTO_SET_ATIME | PROTO_SET_MTIME;
        c->req.arg[1] = 06711;
        c->req.arg[2] = 10;
        c->req.arg[3] = 20;
        c->data[0] = &times;
        c->data_len[0] = sizeof(times);
        cr_assert(fixture_run(&f, c) == 0, "%s", names[i]);
        cr_assert((a->mode & 07777) == 06711 && a->uid == 10 && a->gid == 20, "%s", names[i]);
        cr_assert(a->atime == 5 && a->mtime == 7 && a->mtime_nsec == 9);
    }
}

Test(server, setattr_size_and_links)
{
    struct channel_call *c;

    fixture_write(&f, "reg", "abcdef");
    cr_assert(symlinkat("reg", f.dirfd, "link") == 0);
    c = fixture_call(PROTO_SETATTR, root, "reg");
    c->req.arg[0] = PROTO_SET_SIZE;
    c->req.arg[4] = 3;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.size == 3);
    c = fixture_call(PROTO_SETATTR, root, "link");
    c->req.arg[0] = PROTO_SET_SIZE;
    cr_assert(fixture_run(&f, c) == -ELOOP);
    c = fixture_call(PROTO_SETATTR, root, "link");
    c->req.arg[0] = PROTO_SET_MODE;
    cr_assert(fixture_run(&f, c) == -EOPNOTSUPP);
    c = fixture_call(PROTO_SETATTR, root, "link");
    c->req.arg[0] = PROTO_SET_UID;
    c->req.arg[2] = 5;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.uid == 5);
    cr_assert(S_ISLNK(c->reply.attr.mode));
    c = fixture_call(PROTO_READLINK, root, "link");
    cr_assert(fixture_run(&f, c) == 0 && c->out_len == 3 && !memcmp(c->out, "reg", 3));
    cr_assert(fixture_run(&f, fixture_call(PROTO_READLINK, root, "reg")) == -EINVAL);
    c = fixture_call(PROTO_SETATTR, root, "reg");
    c->req.arg[0] = 1 << 20;
    cr_assert(fixture_run(&f, c) == -EINVAL);
}

/* count_entries() - read a directory whole; *with: how many had attributes. */
static u32 count_entries(u64 handle, const char *path, u64 attr, u32 *with, u32 *parts)
{
    struct channel_call *c = fixture_call(PROTO_READDIR, handle, path);
    u32 n = 0;

    *with = *parts = 0;
    for (;;) {
        struct proto_dirent e;
        struct proto_attr a;
        const char *name;
        u32 pos = 0;

        c->req.arg[0] = attr;
        cr_assert(fixture_run(&f, c) == 0);
        ++*parts;
        while (proto_dirent_next(c->out, c->out_len, &pos, &e, &a, &name) == 1) {
            n++;
            *with += e.has_attr && S_ISREG(a.mode);
        }
        cr_assert(pos == c->out_len);
        if (!(c->reply.flags & PROTO_MORE))
            return n;
        cr_assert(c->reply.handle != 0);
        c = fixture_call(PROTO_READDIR, c->reply.handle, "");
    }
}

Test(server, readdir_brings_attributes)
{
    u32 with, parts;
    char name[32];

    cr_assert(count_entries(root, "", 0, &with, &parts) == 0 && parts == 1);
    mkdirat(f.dirfd, "d", 0755);
    for (u32 i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "d/file-%u", i);
        fixture_write(&f, name, "");
    }
    cr_assert(count_entries(root, "d", 1, &with, &parts) == 3000);
    cr_assert(with == 3000 && parts > 3);
    cr_assert(count_entries(root, "d", 0, &with, &parts) == 3000);
    cr_assert(with == 0);
    cr_assert(fixture_run(&f, fixture_call(PROTO_READDIR, root, "d/file-1")) == -ENOTDIR);
}

static struct channel_call *xattr(u32 op, const char *path, const char *name, const char *value)
{
    struct channel_call *c = fixture_call(op, root, path);

    c->data[0] = name;
    c->data_len[0] = (u32)strlen(name);
    c->data[1] = value;
    c->data_len[1] = (u32)strlen(value);
    c->req.arg[0] = op == PROTO_SETXATTR ? 0 : 100;
    c->req.arg[1] = strlen(name);
    return c;
}

Test(server, extended_attributes)
{
    struct channel_call *c;
    int r;

    fixture_write(&f, "x", "");
    mkfifoat(f.dirfd, "fifo", 0644);
    r = fixture_run(&f, xattr(PROTO_SETXATTR, "x", "user.colour", "green"));
    if (r == -EOPNOTSUPP)
        cr_skip_test("no user attributes on /tmp's file system");
    cr_assert(r == 0);
    c = xattr(PROTO_GETXATTR, "x", "user.colour", "");
    cr_assert(fixture_run(&f, c) == 0 && c->reply.arg[0] == 5 && c->out_len == 5);
    cr_assert(!memcmp(c->out, "green", 5));
    c = xattr(PROTO_GETXATTR, "x", "user.colour", "");
    c->req.arg[0] = 0;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.arg[0] == 5 && c->out_len == 0);
    c = xattr(PROTO_GETXATTR, "x", "user.colour", "");
    c->req.arg[0] = 3;
    cr_assert(fixture_run(&f, c) == -ERANGE);
    c = xattr(PROTO_LISTXATTR, "x", "", "");
    cr_assert(fixture_run(&f, c) == 0 && memmem(c->out, c->out_len, "user.colour", 12));
    cr_assert(fixture_run(&f, xattr(PROTO_DELXATTR, "x", "user.colour", "")) == 0);
    cr_assert(fixture_run(&f, xattr(PROTO_GETXATTR, "x", "user.colour", "")) == -ENODATA);
    cr_assert(fixture_run(&f, xattr(PROTO_GETXATTR, "fifo", "user.a", "")) == -EOPNOTSUPP);
    c = xattr(PROTO_SETXATTR, "x", "user.colour", "");
    c->req.arg[1] = 1000000;
    cr_assert(fixture_run(&f, c) == -EINVAL);
}

Test(server, expect_refuses_another_inode)
{
    struct channel_call *c;
    struct stat st;

    fixture_write(&f, "x", "");
    cr_assert(fstatat(f.dirfd, "x", &st, 0) == 0);
    c = fixture_call(PROTO_OPEN, root, "x");
    c->req.arg[0] = PROTO_OPEN_READ;
    c->req.expect_ino = st.st_ino + 1;
    c->want_fd = true;
    cr_assert(fixture_run(&f, c) == -ESTALE);
    c->req.expect_ino = st.st_ino;
    c->req.expect_dev = (u64)major(st.st_dev) << 32 | minor(st.st_dev);
    cr_assert(fixture_run(&f, c) == 0);
    close(c->fd);
}

Test(server, the_rest)
{
    struct proto_statfs st;
    struct channel_call *c = fixture_call(PROTO_STATFS, root, "");

    cr_assert(fixture_run(&f, c) == 0 && c->out_len == sizeof(st));
    memcpy(&st, c->out, sizeof(st));
    cr_assert(st.bsize && st.namelen == 255);
    fixture_write(&f, "x", "");
    cr_assert(fixture_run(&f, fixture_call(PROTO_FSYNC, root, "")) == 0);
    cr_assert(fixture_run(&f, fixture_call(PROTO_FSYNC, root, "x")) == 0);
    c = fixture_call(PROTO_FALLOCATE, root, "x");
    c->req.arg[2] = 5000;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.size == 5000);
    cr_assert(fixture_run(&f, fixture_call(PROTO_CONNECT, root, "x")) == -EOPNOTSUPP);
    c = fixture_call(PROTO_ATTACH, 0, "");
    c->req.arg[0] = 3;
    cr_assert(fixture_run(&f, c) == -ENODEV);
    c = fixture_call(PROTO_SYMLINK, root, "s");
    c->data[0] = "to/where";
    c->data_len[0] = 8;
    c->req.arg[1] = 9;
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.uid == 9 && S_ISLNK(c->reply.attr.mode));
}

Test(server, handles_are_bounded)
{
    struct channel_call *c;
    u32 given = 0;

    mkdirat(f.dirfd, "d", 0755);
    for (u32 i = 0; i < 100; i++) {
        c = fixture_call(PROTO_WALK, root, "d");
        c->req.flags = PROTO_WANT_HANDLE;
        cr_assert(fixture_run(&f, c) == 0);
        given += (c->reply.flags & PROTO_HAS_HANDLE) != 0;
    }
    cr_assert(given == 63, "64 with the root's");
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, root, "d")) == 0);
}

Test(server_ro, nothing_changes)
{
    struct channel_call *c;
    u64 file;
    int fd;

    fixture_start_with(&f, true, true, false);
    root = fixture_root(&f);
    fixture_write(&f, "x", "");
    cr_assert(open_fd(root, "x", PROTO_OPEN_WRITE) == -EROFS);
    fd = open_fd(root, "x", PROTO_OPEN_READ);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert(fixture_run(&f, fixture_call(PROTO_REMOVE, root, "x")) == -EROFS);
    cr_assert(two(PROTO_RENAME, "x", "y", 0) == -EROFS);
    cr_assert(fixture_run(&f, fixture_call(PROTO_CREATE, root, "y")) == -EROFS);

    /* A mount that is a file can be opened, and nothing else is there. */
    c = fixture_call(PROTO_ATTACH, 0, "");
    c->req.arg[0] = 7;
    cr_assert(fixture_run(&f, c) == 0 && S_ISREG(c->reply.attr.mode));
    file = c->reply.handle;
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, file, "file")) == -ENOTDIR);
    c = fixture_call(PROTO_WALK, file, "");
    cr_assert(fixture_run(&f, c) == 0 && c->reply.attr.size == 7);
    fd = open_fd(file, "", PROTO_OPEN_READ | PROTO_OPEN_WRITE);
    cr_assert(fd >= 0);
    close(fd);
    fixture_stop(&f);
}
