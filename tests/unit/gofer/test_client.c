/* The file system "gofer" through the vfs, on a gofer in another process. */
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "tests/unit/gofer/sentry_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct sentry s;

static void start(void)
{
    sentry_start(&s, true);
}

static void start_shared(void)
{
    sentry_start(&s, false);
}

static void stop(void)
{
    sentry_stop(&s);
}

TestSuite(client, .init = start, .fini = stop);
TestSuite(client_shared, .init = start_shared, .fini = stop);

/* host_text() - what the host has in a file below the root. */
static const char *host_text(const char *name)
{
    static char buf[256];
    int fd = openat(s.f.dirfd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

    if (fd >= 0)
        close(fd);
    buf[n < 0 ? 0 : n] = '\0';
    return n < 0 ? "(none)" : buf;
}

static void files_are_read_and_written(void)
{
    struct attr attr;
    struct file *f;
    char buf[16] = "";

    mkdirat(s.f.dirfd, "etc", 0755);
    fixture_write(&s.f, "etc/hosts", "127.0.0.1");
    cr_assert(s_stat(&s, "/etc/hosts", &attr) == 0);
    cr_assert(attr.size == 9 && attr.mode == (LX_S_IFREG | 0644) && attr.nlink == 1);
    cr_assert(s_open(&s, "/etc/hosts", LX_O_RDONLY, 0, &f) == 0);
    cr_assert(s_read(f, buf, 3) == 3 && s_read(f, buf + 3, 12) == 6 && s_read(f, buf, 1) == 0);
    cr_assert(!strcmp(buf, "127.0.0.1"));
    cr_assert(s_write(f, "x", 1) == -EBADF);
    file_put(f);

    cr_assert(s_open(&s, "/etc/hosts", LX_O_RDWR, 0, &f) == 0);
    cr_assert(file_seek(f, 0, LX_SEEK_END) == 9);
    cr_assert(s_write(f, " localhost", 10) == 10);
    cr_assert(s_stat(&s, "/etc/hosts", &attr) == 0 && attr.size == 19);
    cr_assert_str_eq(host_text("etc/hosts"), "127.0.0.1 localhost");
    cr_assert(file_truncate(f, 3) == 0);
    cr_assert(s_stat(&s, "/etc/hosts", &attr) == 0 && attr.size == 3);
    file_put(f);
    cr_assert(s_open(&s, "/etc/hosts", LX_O_RDWR | LX_O_TRUNC, 0, &f) == 0);
    cr_assert(s_stat(&s, "/etc/hosts", &attr) == 0 && attr.size == 0);
    file_put(f);
    cr_assert(s_open(&s, "/etc/none", LX_O_RDONLY, 0, &f) == -ENOENT);
    cr_assert(s_open(&s, "/etc/hosts/x", LX_O_RDONLY, 0, &f) == -ENOTDIR);
}

Test(client, files_are_read_and_written)
{
    files_are_read_and_written();
}

Test(client_shared, files_are_read_and_written)
{
    files_are_read_and_written();
}

static void names_come_and_go(void)
{
    struct attr attr;
    struct file *f;
    char names[256];

    cr_assert(vfs_mkdir(&s.ctx, NULL, "/d", 0750) == 0);
    cr_assert(s_open(&s, "/d/a", LX_O_CREAT | LX_O_EXCL | LX_O_WRONLY, 0640, &f) == 0);
    cr_assert(s_write(f, "abc", 3) == 3);
    file_put(f);
    cr_assert_str_eq(host_text("d/a"), "abc");
    cr_assert(s_open(&s, "/d/a", LX_O_CREAT | LX_O_EXCL | LX_O_WRONLY, 0640, &f) == -EEXIST);
    cr_assert(vfs_symlink(&s.ctx, "a", NULL, "/d/link") == 0);
    cr_assert(s_open(&s, "/d/link", LX_O_RDONLY, 0, &f) == 0);
    file_put(f);
    cr_assert(vfs_mknod(&s.ctx, NULL, "/d/fifo", LX_S_IFIFO | 0600, 0, 0) == 0);
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 3);
    cr_assert_str_eq(names, "a fifo link");
    cr_assert(vfs_rename(&s.ctx, NULL, "/d/a", NULL, "/d/b", 0) == 0);
    cr_assert(s_stat(&s, "/d/a", &attr) == -ENOENT);
    cr_assert(s_stat(&s, "/d/b", &attr) == 0 && attr.size == 3);
    cr_assert(s_open(&s, "/d/link", LX_O_RDONLY, 0, &f) == -ENOENT);
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 3);
    cr_assert_str_eq(names, "b fifo link");
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d", true) == -ENOTEMPTY);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d/b", false) == 0);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d/fifo", false) == 0);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d/link", false) == 0);
    cr_assert(s_stat(&s, "/d", &attr) == 0 && attr.nlink == 2);
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 0);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d", true) == 0);
    cr_assert(faccessat(s.f.dirfd, "d", F_OK, 0) < 0);
    cr_assert(s_stat(&s, "/d", &attr) == -ENOENT);
}

Test(client, names_come_and_go)
{
    names_come_and_go();
}

Test(client_shared, names_come_and_go)
{
    names_come_and_go();
}

static void hard_links_are_one_file(void)
{
    struct attr a, b;
    struct path p;
    struct file *f;

    cr_assert(s_open(&s, "/a", LX_O_CREAT | LX_O_RDWR, 0644, &f) == 0);
    cr_assert(walk(&s.ctx, NULL, "/a", 0, &p) == 0);
    cr_assert(vfs_link(&s.ctx, &p, NULL, "/b") == 0);
    path_put(&p);
    cr_assert(s_stat(&s, "/a", &a) == 0 && s_stat(&s, "/b", &b) == 0);
    cr_assert(a.ino == b.ino && a.nlink == 2 && b.nlink == 2);
    cr_assert(s_write(f, "xyz", 3) == 3);
    cr_assert(s_stat(&s, "/b", &b) == 0 && b.size == 3);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/a", false) == 0);
    cr_assert(s_stat(&s, "/b", &b) == 0 && b.nlink == 1);
    cr_assert(s_setattr(&s, "/b", &(struct setattr){.valid = SET_MODE, .mode = 0600}) == 0);
    cr_assert(s_stat(&s, "/b", &b) == 0 && b.mode == (LX_S_IFREG | 0600));
    file_put(f);
    cr_assert_str_eq(host_text("b"), "xyz");
}

Test(client, hard_links_are_one_file)
{
    hard_links_are_one_file();
}

Test(client_shared, hard_links_are_one_file)
{
    hard_links_are_one_file();
}

/* a_file_without_name() - it can still be read, written, changed and asked. */
static void a_file_without_name(void (*lose)(void))
{
    struct setattr change = {.valid = SET_MODE | SET_UID, .mode = 0711, .uid = 42};
    struct attr attr;
    struct file *f;
    char buf[8] = "";

    cr_assert(s_open(&s, "/a", LX_O_CREAT | LX_O_RDWR, 0644, &f) == 0);
    cr_assert(s_write(f, "abc", 3) == 3);
    lose();
    cr_assert(vfs_getattr(&f->path, &attr) == 0);
    cr_assert(attr.nlink == 0 && attr.size == 3, "nlink %u size %lu", attr.nlink, attr.size);
    cr_assert(s_write(f, "def", 3) == 3);
    cr_assert(file_seek(f, 0, LX_SEEK_SET) == 0 && s_read(f, buf, 8) == 6);
    cr_assert_str_eq(buf, "abcdef");
    cr_assert(vfs_setattr(&f->path, s.cred, &change) == 0);
    cr_assert(vfs_getattr(&f->path, &attr) == 0);
    cr_assert(attr.mode == (LX_S_IFREG | 0711) && attr.uid == 42 && attr.size == 6);
    file_put(f);
}

static void lose_by_unlink(void)
{
    cr_assert(vfs_unlink(&s.ctx, NULL, "/a", false) == 0);
}

static void lose_by_rename(void)
{
    fixture_write(&s.f, "other", "other");
    cr_assert(vfs_rename(&s.ctx, NULL, "/other", NULL, "/a", 0) == 0);
    cr_assert_str_eq(host_text("a"), "other");
}

Test(client, an_unlinked_file_lives_on)
{
    a_file_without_name(lose_by_unlink);
}

Test(client, a_replaced_file_lives_on)
{
    a_file_without_name(lose_by_rename);
}

Test(client_shared, an_unlinked_file_lives_on)
{
    a_file_without_name(lose_by_unlink);
}

Test(client_shared, a_replaced_file_lives_on)
{
    a_file_without_name(lose_by_rename);
}

Test(client, tmpfiles)
{
    struct attr attr;
    struct file *f;
    int r = vfs_open(&s.ctx, NULL, "/", LX_O_TMPFILE | LX_O_RDWR, 0600, 0, &f);

    if (r == -EOPNOTSUPP)
        cr_skip_test("no O_TMPFILE on /tmp's file system");
    cr_assert(r == 0);
    cr_assert(s_write(f, "tmp", 3) == 3);
    cr_assert(vfs_getattr(&f->path, &attr) == 0 && attr.nlink == 0 && attr.size == 3);
    cr_assert(vfs_link(&s.ctx, &f->path, NULL, "/named") == 0);
    cr_assert_str_eq(host_text("named"), "tmp");
    cr_assert(s_stat(&s, "/named", &attr) == 0 && attr.nlink == 1 && attr.size == 3);
    file_put(f);
}

static u64 requests(void)
{
    return s.conn->client->seq;
}

static void fill_with_files(const char *dir)
{
    char name[64];

    mkdirat(s.f.dirfd, dir, 0755);
    for (u32 i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "%s/f%u", dir, i);
        fixture_write(&s.f, name, "12345");
    }
}

static void stat_files(const char *dir)
{
    struct attr attr;
    char name[64];

    for (u32 i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "%s/f%u", dir, i);
        cr_assert(s_stat(&s, name, &attr) == 0 && attr.size == 5);
    }
}

Test(client, what_is_known_is_not_asked_again)
{
    struct attr attr;
    struct file *f;
    char names[4096], buf[8];
    u64 before;

    fill_with_files("c");
    fill_with_files("d");
    cr_assert(s_names(&s, "/c", names, sizeof(names)) == 50);
    before = requests();
    stat_files("/c");
    cr_assert(requests() <= before + 4, "a few lookups have the directory read with attributes");
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 50);
    before = requests();
    stat_files("/d");
    cr_assert(s_stat(&s, "/d/none", &attr) == -ENOENT);
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 50);
    cr_assert(requests() == before, "stat of what readdir brought");
    for (u32 i = 0; i < 10; i++) {
        cr_assert(s_open(&s, "/d/f7", LX_O_RDONLY, 0, &f) == 0);
        cr_assert(s_read(f, buf, 8) == 5);
        file_put(f);
        cr_assert(s_stat(&s, "/d/f7", &attr) == 0);
    }
    cr_assert(requests() == before + 1, "one descriptor for all");
    cr_assert(s_stat(&s, "/d/none", &attr) == -ENOENT);

    cr_assert(vfs_mkdir(&s.ctx, NULL, "/new", 0755) == 0);
    before = requests();
    cr_assert(s_open(&s, "/new/file", LX_O_CREAT | LX_O_WRONLY, 0644, &f) == 0);
    cr_assert(s_write(f, "12", 2) == 2);
    cr_assert(s_stat(&s, "/new/file", &attr) == 0 && attr.size == 2);
    file_put(f);
    cr_assert(requests() == before + 1, "create and open is one");
    cr_assert(vfs_unlink(&s.ctx, NULL, "/new/file", false) == 0);
    cr_assert(s_stat(&s, "/new/file", &attr) == -ENOENT);
    cr_assert(requests() == before + 2);
}

Test(client_shared, changes_of_others_are_seen)
{
    struct attr attr;
    char names[64];

    fixture_write(&s.f, "a", "1");
    cr_assert(s_stat(&s, "/a", &attr) == 0 && attr.size == 1);
    fixture_write(&s.f, "a", "12345");
    cr_assert(s_stat(&s, "/a", &attr) == 0 && attr.size == 5);
    cr_assert(s_stat(&s, "/b", &attr) == -ENOENT);
    cr_assert(renameat(s.f.dirfd, "a", s.f.dirfd, "b") == 0);
    cr_assert(s_stat(&s, "/a", &attr) == -ENOENT);
    cr_assert(s_stat(&s, "/b", &attr) == 0);
    cr_assert(s_names(&s, "/", names, sizeof(names)) == 1);
    cr_assert(unlinkat(s.f.dirfd, "b", 0) == 0);
    mkdirat(s.f.dirfd, "b", 0755);
    cr_assert(s_stat(&s, "/b", &attr) == 0 && LX_S_ISDIR(attr.mode));
}

Test(client, a_listing_follows_changes)
{
    struct file *f;
    char names[8192], name[64];
    struct attr attr;

    cr_assert(vfs_mkdir(&s.ctx, NULL, "/d", 0755) == 0);
    /* Enough to have gaps closed several times. */
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "/d/f%u", i);
            cr_assert(s_open(&s, name, LX_O_CREAT | LX_O_EXCL | LX_O_WRONLY, 0644, &f) == 0);
            file_put(f);
        }
        cr_assert(s_names(&s, "/d", names, sizeof(names)) == 300);
        for (u32 i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "/d/f%u", i);
            if (i % 100)
                cr_assert(vfs_unlink(&s.ctx, NULL, name, false) == 0);
        }
        cr_assert(s_names(&s, "/d", names, sizeof(names)) == 3);
        cr_assert_str_eq(names, "f0 f100 f200");
        cr_assert(s_stat(&s, "/d/f100", &attr) == 0);
        cr_assert(s_stat(&s, "/d/f101", &attr) == -ENOENT);
        for (u32 i = 0; i < 300; i += 100) {
            snprintf(name, sizeof(name), "/d/f%u", i);
            cr_assert(vfs_unlink(&s.ctx, NULL, name, false) == 0);
        }
    }
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 0);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d", true) == 0);
}

struct removing {
    struct dir_emit emit;
    u32 left;
    char name[LIMIT_NAME + 1];
};

static bool take_one(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type, s64 next_pos)
{
    struct removing *r = container_of(e, struct removing, emit);

    if (name[0] == '.')
        return true;
    if (r->left-- == 0)
        return false;
    snprintf(r->name, sizeof(r->name), "/d/%.*s", (int)len, name);
    return true;
}

Test(client, removing_while_reading_misses_nothing)
{
    struct removing r = {.emit = {take_one}};
    struct file *f;
    char name[64], names[64];
    u32 removed = 0;

    mkdirat(s.f.dirfd, "d", 0755);
    for (u32 i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "d/%u", i);
        fixture_write(&s.f, name, "");
    }
    cr_assert(s_open(&s, "/d", LX_O_RDONLY | LX_O_DIRECTORY, 0, &f) == 0);
    for (;;) {
        r.left = 1;
        r.name[0] = '\0';
        cr_assert(file_readdir(f, &r.emit) == 0);
        if (!r.name[0])
            break;
        cr_assert(vfs_unlink(&s.ctx, NULL, r.name, false) == 0);
        removed++;
    }
    file_put(f);
    cr_assert(removed == 500);
    cr_assert(s_names(&s, "/d", names, sizeof(names)) == 0);
    cr_assert(vfs_unlink(&s.ctx, NULL, "/d", true) == 0);
}

/* Directories deeper than a request reaches, with far more of them than handles. */
static void deep_and_wide(void)
{
    char name[2048] = "", host[2048];
    struct attr attr;
    struct file *f;

    for (u32 i = 0; i < 150; i++) {
        snprintf(name + strlen(name), sizeof(name) - strlen(name), "/d%u", i);
        cr_assert(vfs_mkdir(&s.ctx, NULL, name, 0755) == 0, "%u", i);
    }
    snprintf(name + strlen(name), sizeof(name) - strlen(name), "/file");
    cr_assert(s_open(&s, name, LX_O_CREAT | LX_O_WRONLY, 0644, &f) == 0);
    file_put(f);
    for (u32 i = 0; i < 300; i++) {
        snprintf(host, sizeof(host), "/w%u", i);
        cr_assert(vfs_mkdir(&s.ctx, NULL, host, 0755) == 0);
        snprintf(host, sizeof(host), "/w%u/x", i);
        cr_assert(s_open(&s, host, LX_O_CREAT | LX_O_WRONLY, 0644, &f) == 0);
        file_put(f);
    }
    cr_assert(s_stat(&s, name, &attr) == 0);
    cr_assert(s_setattr(&s, name, &(struct setattr){.valid = SET_MODE, .mode = 0600}) == 0);
    cr_assert(s_stat(&s, name, &attr) == 0 && attr.mode == (LX_S_IFREG | 0600));
    for (u32 i = 0; i < 300; i++) {
        snprintf(host, sizeof(host), "/w%u/x", i);
        cr_assert(vfs_unlink(&s.ctx, NULL, host, false) == 0);
        snprintf(host, sizeof(host), "/w%u", i);
        cr_assert(vfs_unlink(&s.ctx, NULL, host, true) == 0);
    }
}

Test(client, handles_are_found_again)
{
    deep_and_wide();
}

Test(client_shared, handles_are_found_again)
{
    deep_and_wide();
}

Test(client, a_directory_moves_with_all_that_is_known)
{
    struct attr attr;
    struct file *f;
    char names[64];

    cr_assert(vfs_mkdir(&s.ctx, NULL, "/a", 0755) == 0);
    cr_assert(vfs_mkdir(&s.ctx, NULL, "/a/b", 0755) == 0);
    cr_assert(s_open(&s, "/a/b/c", LX_O_CREAT | LX_O_WRONLY, 0644, &f) == 0);
    file_put(f);
    cr_assert(vfs_mkdir(&s.ctx, NULL, "/x", 0755) == 0);
    cr_assert(vfs_rename(&s.ctx, NULL, "/a/b", NULL, "/x/y", 0) == 0);
    cr_assert(s_stat(&s, "/x/y/c", &attr) == 0);
    cr_assert(s_setattr(&s, "/x/y/c", &(struct setattr){.valid = SET_MODE, .mode = 0640}) == 0);
    cr_assert(s_names(&s, "/a", names, sizeof(names)) == 0);
    cr_assert(s_names(&s, "/x", names, sizeof(names)) == 1);
    cr_assert(vfs_rename(&s.ctx, NULL, "/x/y", NULL, "/a", LX_RENAME_EXCHANGE) == 0);
    cr_assert(s_stat(&s, "/a/c", &attr) == 0 && attr.mode == (LX_S_IFREG | 0640));
    cr_assert(s_names(&s, "/x/y", names, sizeof(names)) == 0);
    cr_assert(s_stat(&s, "/a", &attr) == 0 && attr.nlink == 2);
    cr_assert(s_stat(&s, "/x", &attr) == 0 && attr.nlink == 3);
}

Test(client, append_goes_to_the_end)
{
    struct file *a, *b;
    char text[8];

    cr_assert(s_open(&s, "/log", LX_O_CREAT | LX_O_WRONLY | LX_O_APPEND, 0644, &a) == 0);
    cr_assert(s_open(&s, "/log", LX_O_WRONLY | LX_O_APPEND, 0644, &b) == 0);
    for (u32 i = 0; i < 10; i++) {
        snprintf(text, sizeof(text), "%u", i);
        cr_assert(s_write(i % 2 ? a : b, text, 1) == 1);
    }
    cr_assert(file_seek(b, 0, LX_SEEK_CUR) == 9);
    file_put(a);
    file_put(b);
    cr_assert_str_eq(host_text("log"), "0123456789");
}

Test(client, big_reads_and_writes)
{
    enum { BIG = 3 * 1024 * 1024 + 17 };
    static u8 out[BIG], in[BIG];
    struct attr attr;
    struct file *f;

    for (u32 i = 0; i < BIG; i++)
        out[i] = (u8)(i * 7 + i / 4096);
    cr_assert(s_open(&s, "/big", LX_O_CREAT | LX_O_RDWR, 0644, &f) == 0);
    cr_assert(s_write(f, out, BIG) == BIG);
    cr_assert(file_seek(f, 0, LX_SEEK_SET) == 0);
    cr_assert(s_read(f, in, BIG) == BIG);
    cr_assert(!memcmp(in, out, BIG));
    cr_assert(s_stat(&s, "/big", &attr) == 0 && attr.size == BIG && attr.blocks >= BIG / 512);
    cr_assert(file_fallocate(f, LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0);
    cr_assert(file_seek(f, 0, LX_SEEK_DATA) == 1 << 20);
    cr_assert(file_seek(f, 0, LX_SEEK_HOLE) == 0);
    cr_assert(f->ops->fsync(f, false) == 0);
    file_put(f);
}

Test(client, mappings_get_the_rights_they_may_have)
{
    struct file *f, *other;
    int rw, ro;

    cr_assert(s_open(&s, "/m", LX_O_CREAT | LX_O_RDWR, 0644, &f) == 0);
    rw = f->ops->map_fd(f, true, true);
    ro = f->ops->map_fd(f, true, false);
    cr_assert(rw >= 0 && ro >= 0 && rw != ro);
    cr_assert((fcntl(rw, F_GETFL) & O_ACCMODE) == O_RDWR);
    cr_assert((fcntl(ro, F_GETFL) & O_ACCMODE) == O_RDONLY);
    cr_assert(f->ops->map_fd(f, false, true) == ro);
    file_put(f);
    /* A read-only one from before a writable one is not used for new mappings. */
    fixture_write(&s.f, "n", "x");
    cr_assert(s_open(&s, "/n", LX_O_RDONLY, 0, &f) == 0);
    ro = f->ops->map_fd(f, false, false);
    cr_assert(s_open(&s, "/n", LX_O_RDWR, 0, &other) == 0);
    cr_assert(f->ops->map_fd(f, false, false) != ro);
    cr_assert(fcntl(ro, F_GETFL) >= 0, "still there for those who have it mapped");
    file_put(other);
    file_put(f);
    cr_assert(fcntl(ro, F_GETFL) < 0);
}

Test(client_fds, descriptors_are_bounded)
{
    struct rlimit few = {80, 80};
    struct file *f[64];
    char name[64];
    u32 open = 0;
    int r = 0;

    setrlimit(RLIMIT_NOFILE, &few);
    start();
    cr_assert(s.conn->max_fds == 60);
    for (u32 i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "/f%u", i);
        cr_assert(s_open(&s, name, LX_O_CREAT | LX_O_RDWR, 0644, &f[0]) == 0, "%u", i);
        file_put(f[0]);
    }
    cr_assert(s.conn->nfds <= 30, "idle ones are closed");
    for (; open < 64; open++) {
        snprintf(name, sizeof(name), "/f%u", open);
        r = s_open(&s, name, LX_O_RDONLY, 0, &f[open]);
        if (r < 0)
            break;
    }
    cr_assert(r == -ENFILE && open == 60, "%d, %u", r, open);
    cr_assert(s_open(&s, "/g", LX_O_CREAT | LX_O_RDWR, 0644, &f[open]) == -ENFILE);
    while (open)
        file_put(f[--open]);
    cr_assert(s_open(&s, "/g", LX_O_RDWR, 0644, &f[0]) == 0);
    file_put(f[0]);
    stop();
}

Test(client, symbolic_links)
{
    char buf[64];
    struct path p;
    struct attr attr;
    u64 before;

    fixture_write(&s.f, "target", "1234");
    cr_assert(symlinkat("target", s.f.dirfd, "link") == 0);
    cr_assert(walk(&s.ctx, NULL, "/link", 0, &p) == 0);
    before = requests();
    cr_assert(vfs_readlink(&p, buf, sizeof(buf)) == 6 && !memcmp(buf, "target", 6));
    cr_assert(vfs_readlink(&p, buf, 3) == 3);
    cr_assert(requests() == before, "the text came with the walk");
    cr_assert(vfs_getattr(&p, &attr) == 0 && attr.size == 6 && LX_S_ISLNK(attr.mode));
    path_put(&p);
    cr_assert(walk(&s.ctx, NULL, "/link", WALK_FOLLOW, &p) == 0);
    cr_assert(vfs_getattr(&p, &attr) == 0 && attr.size == 4);
    path_put(&p);
}

Test(client, statfs_and_times)
{
    struct setattr t = {.valid = SET_ATIME | SET_MTIME,
                        .atime = {.sec = 100, .nsec = 5},
                        .mtime = {.sec = 200, .nsec = 6}};
    struct statfs_info st;
    struct attr attr;

    cr_assert(s.ns->root->super->ops->statfs(s.ns->root->super, &st) == 0);
    cr_assert(st.bsize && st.blocks && st.namelen == 255);
    fixture_write(&s.f, "t", "");
    cr_assert(s_setattr(&s, "/t", &t) == 0);
    cr_assert(s_stat(&s, "/t", &attr) == 0);
    cr_assert(attr.atime.sec == 100 && attr.mtime.sec == 200 && attr.mtime.nsec == 6);
}

Test(client, a_dead_gofer_is_an_error)
{
    struct attr attr;
    struct file *f, *open;
    char buf[8];

    fixture_write(&s.f, "a", "abc");
    fixture_write(&s.f, "b", "abc");
    cr_assert(s_open(&s, "/a", LX_O_RDONLY, 0, &open) == 0);
    kill(s.f.pid, SIGKILL);
    for (u32 i = 0; i < 1000 && s_stat(&s, "/c", &attr) != -EIO; i++)
        usleep(1000);
    cr_assert(s_stat(&s, "/b", &attr) == -EIO);
    cr_assert(s_open(&s, "/b", LX_O_RDONLY, 0, &f) == -EIO);
    cr_assert(s_stat(&s, "/a", &attr) == 0, "what is known stays known");
    cr_assert(s_read(open, buf, 8) == 3);
    file_put(open);
    s.f.killed = true;
}

/* --- requests --- */

/* asked() - how many requests there were since `*before`, which moves along. */
static u32 asked(u32 *before)
{
    u32 now = atomic_load(&s.conn->client->seq), n = now - *before;

    *before = now;
    return n;
}

Test(client, a_cold_path_is_one_request)
{
    struct attr attr;
    struct file *f;
    char buf[8] = "";
    u32 seq = 0;

    mkdirat(s.f.dirfd, "a", 0755);
    mkdirat(s.f.dirfd, "a/b", 0755);
    mkdirat(s.f.dirfd, "a/b/c", 0755);
    fixture_write(&s.f, "a/b/c/file", "text");
    fixture_write(&s.f, "a/b/c/other", "text");
    cr_assert(symlinkat("b/c", s.f.dirfd, "a/link") == 0);
    asked(&seq);
    cr_assert(s_stat(&s, "/a/b/c/none/x", &attr) == -ENOENT);
    cr_expect_eq(asked(&seq), 1);
    cr_assert(s_stat(&s, "/a/b/c/none", &attr) == -ENOENT && s_stat(&s, "/a/b/c", &attr) == 0);
    cr_expect_eq(asked(&seq), 0);
    /* Its descriptor comes along. */
    cr_assert(s_open(&s, "/a/b/c/file", LX_O_RDWR, 0, &f) == 0);
    cr_assert(s_read(f, buf, 4) == 4);
    cr_expect_eq(asked(&seq), 1);
    cr_expect_str_eq(buf, "text");
    file_put(f);
    /* A link's text comes with it, and all behind it is known but the file. */
    cr_assert(s_stat(&s, "/a/link/other", &attr) == 0 && attr.size == 4);
    cr_expect_eq(asked(&seq), 2);
    cr_assert(s_stat(&s, "/a/b/c/file/x", &attr) == -ENOTDIR);
    cr_expect_eq(asked(&seq), 0);
}

Test(client, a_path_through_a_file)
{
    struct attr attr;
    struct file *f;

    mkdirat(s.f.dirfd, "d", 0755);
    fixture_write(&s.f, "d/file", "text");
    cr_assert(s_stat(&s, "/d/file/x/y", &attr) == -ENOTDIR);
    cr_assert(s_open(&s, "/d/file/", LX_O_RDONLY, 0, &f) == -ENOTDIR);
    cr_assert(s_open(&s, "/d", LX_O_RDWR, 0, &f) == -EISDIR);
    cr_assert(s_stat(&s, "/d/./../d/file", &attr) == 0);
}
