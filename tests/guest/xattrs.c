/*
 * Extended attributes: setting, getting, listing and removing, by path, without following links,
 * and by descriptor.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* make_file() - a scratch file on a file system that keeps user attributes, or skip */
static int make_file(void)
{
    guest_scratch();
    guest_make_file("file", "x");
    if (SYS(setxattr, "file", "user.probe", "x", 1, 0) < 0) {
        if (errno == EOPNOTSUPP)
            SKIP("this file system has no user attributes");
        REQUIRE_OK(-1);
    }
    REQUIRE_OK(SYS(removexattr, "file", "user.probe"));
    return (int)REQUIRE_OK(open("file", O_RDWR));
}

TEST(set_get, "setxattr getxattr")
{
    char value[16];

    make_file();
    EXPECT_OK(SYS(setxattr, "file", "user.name", "value", 5, 0));
    EXPECT_EQ(SYS(getxattr, "file", "user.name", NULL, 0), 5);
    memset(value, '#', sizeof(value));
    EXPECT_EQ(SYS(getxattr, "file", "user.name", value, sizeof(value)), 5);
    EXPECT_MEMEQ(value, "value#", 6);
    EXPECT_OK(SYS(setxattr, "file", "user.name", "a\0b", 3, 0));
    EXPECT_EQ(SYS(getxattr, "file", "user.name", value, sizeof(value)), 3);
    EXPECT_MEMEQ(value, "a\0b", 3);
    EXPECT_OK(SYS(setxattr, "file", "user.empty", NULL, 0, 0));
    EXPECT_EQ(SYS(getxattr, "file", "user.empty", value, sizeof(value)), 0);
}

TEST(by_descriptor, "fsetxattr fgetxattr flistxattr fremovexattr fsetxattr:EBADF fgetxattr:EBADF,ENODATA flistxattr:EBADF fremovexattr:EBADF,ENODATA")
{
    char value[64];
    int fd = make_file(), path = (int)REQUIRE_OK(open("file", O_PATH));

    EXPECT_OK(SYS(fsetxattr, fd, "user.fd", "v", 1, 0));
    EXPECT_EQ(SYS(fgetxattr, fd, "user.fd", value, sizeof(value)), 1);
    EXPECT_EQ(SYS(getxattr, "file", "user.fd", value, sizeof(value)), 1);
    EXPECT_GE(SYS(flistxattr, fd, value, sizeof(value)), 8);
    EXPECT_OK(SYS(fremovexattr, fd, "user.fd"));
    EXPECT_ERRNO(SYS(fgetxattr, fd, "user.fd", value, sizeof(value)), ENODATA);
    EXPECT_ERRNO(SYS(fremovexattr, fd, "user.fd"), ENODATA);
    EXPECT_ERRNO(SYS(fsetxattr, -1, "user.fd", "v", 1, 0), EBADF);
    EXPECT_ERRNO(SYS(fgetxattr, -1, "user.fd", value, sizeof(value)), EBADF);
    EXPECT_ERRNO(SYS(flistxattr, -1, value, sizeof(value)), EBADF);
    EXPECT_ERRNO(SYS(fremovexattr, -1, "user.fd"), EBADF);
    EXPECT_ERRNO(SYS(fgetxattr, path, "user.fd", value, sizeof(value)), EBADF);
}

/* has_name() - whether a list of names, each ended by a NUL, holds this one */
static bool has_name(const char *list, long size, const char *name)
{
    for (long at = 0; at < size; at += (long)strlen(list + at) + 1) {
        if (strcmp(list + at, name) == 0)
            return true;
    }
    return false;
}

TEST(list_remove, "listxattr removexattr listxattr:ERANGE removexattr:ENODATA")
{
    char list[256] = {0};
    long size;

    make_file();
    REQUIRE_OK(SYS(setxattr, "file", "user.one", "1", 1, 0));
    REQUIRE_OK(SYS(setxattr, "file", "user.two", "2", 1, 0));
    size = EXPECT_OK(SYS(listxattr, "file", NULL, 0));
    EXPECT_GE(size, 18);
    EXPECT_EQ(SYS(listxattr, "file", list, sizeof(list)), size);
    EXPECT(has_name(list, size, "user.one") && has_name(list, size, "user.two"));
    EXPECT_ERRNO(SYS(listxattr, "file", list, 5), ERANGE);
    EXPECT_OK(SYS(removexattr, "file", "user.one"));
    EXPECT_ERRNO(SYS(removexattr, "file", "user.one"), ENODATA);
    size = EXPECT_OK(SYS(listxattr, "file", list, sizeof(list)));
    EXPECT(!has_name(list, size, "user.one") && has_name(list, size, "user.two"));
}

TEST(create_replace, "setxattr setxattr:EEXIST,ENODATA,EINVAL")
{
    make_file();
    EXPECT_ERRNO(SYS(setxattr, "file", "user.a", "1", 1, XATTR_REPLACE), ENODATA);
    EXPECT_OK(SYS(setxattr, "file", "user.a", "1", 1, XATTR_CREATE));
    EXPECT_ERRNO(SYS(setxattr, "file", "user.a", "1", 1, XATTR_CREATE), EEXIST);
    EXPECT_OK(SYS(setxattr, "file", "user.a", "2", 1, XATTR_REPLACE));
    EXPECT_ERRNO(SYS(setxattr, "file", "user.a", "1", 1, 0x40), EINVAL);
}

TEST(errors, "getxattr:ENODATA,ERANGE,ENOENT,EFAULT,EOPNOTSUPP setxattr:ENOENT,EFAULT,ERANGE,E2BIG listxattr:ENOENT removexattr:ENOENT")
{
    static char name[300];
    char value[4];

    make_file();
    memset(name, 'n', sizeof(name) - 1);
    memcpy(name, "user.", 5);
    REQUIRE_OK(SYS(setxattr, "file", "user.a", "12345678", 8, 0));
    EXPECT_ERRNO(SYS(getxattr, "file", "user.none", value, sizeof(value)), ENODATA);
    EXPECT_ERRNO(SYS(getxattr, "file", "user.a", value, sizeof(value)), ERANGE);
    EXPECT_ERRNO(SYS(getxattr, "missing", "user.a", value, sizeof(value)), ENOENT);
    EXPECT_ERRNO(SYS(listxattr, "missing", value, sizeof(value)), ENOENT);
    EXPECT_ERRNO(SYS(removexattr, "missing", "user.a"), ENOENT);
    EXPECT_ERRNO(SYS(setxattr, "missing", "user.a", "1", 1, 0), ENOENT);
    EXPECT_ERRNO(SYS(getxattr, "file", "nonsense.a", value, sizeof(value)), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(getxattr, "file", (void *)8, value, sizeof(value)), EFAULT);
    EXPECT_ERRNO(SYS(setxattr, "file", "user.a", (void *)8, 4, 0), EFAULT);
    EXPECT_ERRNO(SYS(setxattr, "file", name, "1", 1, 0), ERANGE);
    EXPECT_ERRNO(SYS(setxattr, "file", "", "1", 1, 0), ERANGE);
    EXPECT_ERRNO(SYS(setxattr, "file", "user.big", value, 65537, 0), E2BIG);
}

TEST(links_not_followed, "lgetxattr llistxattr lsetxattr lremovexattr lsetxattr:EPERM lgetxattr:ENODATA")
{
    char value[64];

    make_file();
    REQUIRE_OK(symlink("file", "link"));
    REQUIRE_OK(SYS(lsetxattr, "file", "user.a", "v", 1, 0));
    EXPECT_EQ(SYS(getxattr, "link", "user.a", value, sizeof(value)), 1);
    EXPECT_EQ(SYS(lgetxattr, "file", "user.a", value, sizeof(value)), 1);
    EXPECT_GE(SYS(llistxattr, "file", value, sizeof(value)), 7);
    /* A link has no user attributes of its own. */
    EXPECT_ERRNO(SYS(lsetxattr, "link", "user.a", "v", 1, 0), EPERM);
    EXPECT_EQ(SYS(lgetxattr, "link", "user.a", value, sizeof(value)), -1);
    EXPECT(errno == ENODATA || errno == EPERM);
    EXPECT_OK(SYS(lremovexattr, "file", "user.a"));
    EXPECT_ERRNO(SYS(lgetxattr, "file", "user.a", value, sizeof(value)), ENODATA);
}

TEST(need_the_mode, "setxattr:EACCES getxattr:EACCES")
{
    char value[4];
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs CAP_SETUID and CAP_SETGID");
    make_file();
    REQUIRE_OK(SYS(setxattr, "file", "user.a", "v", 1, 0));
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_EQ(SYS(getxattr, "file", "user.a", value, sizeof(value)), 1);
        EXPECT_ERRNO(SYS(setxattr, "file", "user.a", "w", 1, 0), EACCES);
    }
    EXPECT_CHILD_OK(pid);
    REQUIRE_OK(chmod("file", 0600));
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(getxattr, "file", "user.a", value, sizeof(value)), EACCES);
    }
    EXPECT_CHILD_OK(pid);
}
