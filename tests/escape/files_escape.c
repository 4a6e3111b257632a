/*
 * Ways out of the container's files (I5, and the file side of what a container may see): paths that
 * climb, links that change while they are followed, /proc's magic links, devices and the machine's
 * own files.
 */
#include "tests/escape/escape.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static struct stat root;

static bool is_root(const struct stat *st)
{
    return st->st_dev == root.st_dev && st->st_ino == root.st_ino;
}

TEST(climb_above_the_root, "open stat chdir")
{
    char path[4096] = "";
    struct stat st;
    int fd;

    REQUIRE_OK(stat("/", &root));
    for (int i = 0; i < 1000; i++)
        memcpy(path + (size_t)i * 4, "/..", 4);
    for (int i = 0; i < 999; i++)
        path[i * 4 + 3] = '/';
    EXPECT_OK(stat(path, &st));
    EXPECT(is_root(&st));
    REQUIRE_OK(chdir("/"));
    for (int i = 0; i < 50; i++)
        EXPECT_OK(chdir(".."));
    EXPECT_OK(stat(".", &st));
    EXPECT(is_root(&st));
    fd = (int)REQUIRE_OK(open("/", O_PATH));
    EXPECT_OK(fstatat(fd, "../..", &st, 0));
    EXPECT(is_root(&st));
}

TEST(climb_through_links, "symlink stat")
{
    struct stat st;

    REQUIRE_OK(stat("/", &root));
    guest_scratch();
    REQUIRE_OK(symlink("../../../../../../../../../../..", "up"));
    REQUIRE_OK(symlink("/", "abs"));
    REQUIRE_OK(symlink("up/up/abs/../up", "mixed"));
    EXPECT_OK(stat("up/..", &st));
    EXPECT(is_root(&st));
    EXPECT_OK(stat("abs/..", &st));
    EXPECT(is_root(&st));
    if (stat("mixed/..", &st) == 0)
        EXPECT(is_root(&st));
}

TEST(climb_through_proc, "stat open readlink")
{
    static const char *const links[] = {"/proc/self/root", "/proc/1/root", "/proc/self/root/..",
                                        "/proc/self/cwd/../../../../../..", "/proc/1/root/../.."};
    struct stat st;

    REQUIRE_OK(stat("/", &root));
    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        if (stat(links[i], &st) == 0)
            EXPECT(is_root(&st));
    }
}

TEST(descriptor_of_directory, "openat fchdir")
{
    struct stat st;
    char name[64];
    int dir;

    REQUIRE_OK(stat("/", &root));
    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    REQUIRE_OK(mkdir("d/e", 0755));
    dir = (int)REQUIRE_OK(open("d/e", O_RDONLY | O_DIRECTORY));
    REQUIRE_OK(rename("d/e", "moved"));
    /* The way up from it is the way of now. */
    EXPECT_OK(fstatat(dir, "../d", &st, 0));
    REQUIRE_OK(rmdir("moved"));
    EXPECT_EQ(openat(dir, "x", O_RDWR | O_CREAT, 0600), -1);
    snprintf(name, sizeof(name), "/proc/self/fd/%d/../../../../../../..", dir);
    if (stat(name, &st) == 0)
        EXPECT(is_root(&st));
}

static atomic_bool stop;

static void *swap_links(void *arg)
{
    (void)arg;
    while (!stop) {
        rename("real", "kept");
        symlink("../../../../../../../..", "real");
        unlink("real");
        rename("kept", "real");
    }
    return NULL;
}

TEST_SLOW(link_swap, 60, "open rename symlink")
{
    int64_t end = escape_end_ns();
    unsigned long found = 0;
    pthread_t thread;

    /* A directory that is a link upwards every other moment: one meets the file, or the root. */
    REQUIRE_OK(stat("/", &root));
    guest_scratch();
    REQUIRE_OK(mkdir("real", 0755));
    guest_make_file("real/file", "inside");
    REQUIRE(pthread_create(&thread, NULL, swap_links, NULL) == 0);
    while (guest_now_ns() < end) {
        struct stat st;
        char buf[8] = {0};
        int fd = open("real/file", O_RDONLY | O_NOFOLLOW);

        if (fd >= 0) {
            found++;
            EXPECT_EQ(read(fd, buf, 6), 6);
            EXPECT_MEMEQ(buf, "inside", 6);
            close(fd);
        } else {
            EXPECT(errno == ENOENT || errno == ELOOP);
        }
        if (stat("real/..", &st) == 0)
            EXPECT(S_ISDIR(st.st_mode));
        fd = open("real", O_RDONLY | O_DIRECTORY);
        if (fd >= 0) {
            EXPECT_OK(fstat(fd, &st));
            close(fd);
        }
    }
    stop = true;
    pthread_join(thread, NULL);
    guest_diag("%lu times the file", found);
}

static void *swap_dirs(void *arg)
{
    (void)arg;
    while (!stop) {
        rename("a/b/c", "c");
        rename("c", "a/b/c");
    }
    return NULL;
}

TEST_SLOW(directory_moves_in_walk, 60, "open rename")
{
    int64_t end = escape_end_ns();
    const char *top = guest_scratch();
    struct stat base, st;
    pthread_t thread;

    /* `..` from a directory that is being moved never leads past the top that both have. */
    REQUIRE_OK(mkdir("a", 0755));
    REQUIRE_OK(mkdir("a/b", 0755));
    REQUIRE_OK(mkdir("a/b/c", 0755));
    REQUIRE_OK(stat(top, &base));
    REQUIRE(pthread_create(&thread, NULL, swap_dirs, NULL) == 0);
    while (guest_now_ns() < end) {
        if (stat("a/b/c/..", &st) == 0)
            EXPECT(S_ISDIR(st.st_mode));
        if (stat("a/b/c/../../a", &st) == 0)
            EXPECT(S_ISDIR(st.st_mode));
        EXPECT_OK(stat(top, &st));
        EXPECT_EQ(st.st_ino, base.st_ino);
    }
    stop = true;
    pthread_join(thread, NULL);
}

TEST(chroot_escape, "chroot chdir fchdir")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SYS_CHROOT))
        SKIP("needs CAP_SYS_CHROOT");
    REQUIRE_OK(stat("/", &root));
    guest_scratch();
    REQUIRE_OK(mkdir("jail", 0755));
    /* The classic way out of a chroot, which Linux allows to root: it ends at the real root. */
    IN_CHILD(pid) {
        int out = open("/", O_RDONLY);
        struct stat st;

        EXPECT_OK(chroot("jail"));
        EXPECT_OK(fchdir(out));
        for (int i = 0; i < 100; i++)
            EXPECT_OK(chdir(".."));
        EXPECT_OK(stat(".", &st));
        EXPECT(is_root(&st));
        EXPECT_OK(chroot("."));
        EXPECT_OK(stat("/..", &st));
        EXPECT(is_root(&st));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(machine_files, "open")
{
    static const char *const files[] = {
        "/proc/kcore", "/proc/kmem", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/sda", "/dev/vda",
        "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/loop-control", "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/sys/kernel/uevent_helper",
        "/proc/sys/vm/panic_on_oom", "/sys/fs/cgroup/release_agent", "/proc/acpi", "/proc/keys",
        "/proc/timer_list", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/run/docker.sock",
        "/var/run/docker.sock", "/run/containerd/containerd.sock"};

    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        int fd = open(files[i], O_RDWR);

        guest_check(fd < 0, __FILE__, __LINE__, "%s can be opened for writing", files[i]);
        if (fd >= 0)
            close(fd);
    }
}

TEST(device_nodes, "mknod open")
{
    static const struct {
        unsigned int kind, major, minor;
    } devices[] = {{S_IFCHR, 1, 1},  {S_IFCHR, 1, 2},   {S_IFCHR, 1, 4},    {S_IFCHR, 1, 11},
                   {S_IFCHR, 10, 232}, {S_IFCHR, 10, 229}, {S_IFBLK, 8, 0},   {S_IFBLK, 7, 0},
                   {S_IFBLK, 253, 0}, {S_IFBLK, 254, 0},  {S_IFBLK, 259, 0}, {S_IFCHR, 4, 1}};
    static const char *const bases[] = {"/tmp", "/root", "/dev/shm"};

    escape_need_sandbox();
    for (size_t k = 0; k < COUNT_OF(bases); k++) {
        if (!guest_scratch_on(bases[k]))
            continue;
        for (size_t i = 0; i < COUNT_OF(devices); i++) {
            unlink("node");
            if (mknod("node", devices[i].kind | 0600, makedev(devices[i].major, devices[i].minor)) <
                0)
                continue;
            guest_check(open("node", O_RDWR) < 0, __FILE__, __LINE__, "device %u:%u opens in %s",
                        devices[i].major, devices[i].minor, bases[k]);
        }
    }
}

TEST(names_that_are_not, "open mkdir rename")
{
    /* Single components that a file server could misread. */
    static const char *const names[] = {"..", ".", "...", "a/../..", "\xff\xfe", "a\nb", " ", "-rf",
                                        "%s%n", "a//b", "\\..\\..", "C:", "~", "con"};
    const char *top = guest_scratch();
    struct stat before, after;

    REQUIRE_OK(stat("..", &before));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int fd = open(names[i], O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

        if (fd >= 0) {
            struct stat st;

            EXPECT_OK(stat(names[i], &st));
            close(fd);
            EXPECT_OK(unlink(names[i]));
        }
        if (mkdir(names[i], 0700) == 0)
            EXPECT_OK(rmdir(names[i]));
    }
    REQUIRE_OK(chdir(top));
    REQUIRE_OK(stat("..", &after));
    EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST(others_in_proc, "open readlink")
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    pid_t pid;

    REQUIRE(dir);
    /* As nobody: the doors of other people's processes are closed. */
    IN_CHILD(pid) {
        static const char *const doors[] = {"exe", "cwd", "root", "fd/0"};
        char path[300], buf[64];

        escape_become_nobody();
        while ((entry = readdir(dir))) {
            if (strtol(entry->d_name, NULL, 10) <= 0 || strtol(entry->d_name, NULL, 10) == getpid())
                continue;
            snprintf(path, sizeof(path), "/proc/%s/mem", entry->d_name);
            EXPECT_EQ(open(path, O_RDWR), -1);
            snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
            EXPECT_EQ(open(path, O_RDONLY), -1);
            for (size_t i = 0; i < COUNT_OF(doors); i++) {
                snprintf(path, sizeof(path), "/proc/%s/%s", entry->d_name, doors[i]);
                EXPECT_EQ(readlink(path, buf, sizeof(buf)), -1);
            }
        }
    }
    EXPECT_EXIT(pid, 0);
}
