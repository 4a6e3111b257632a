/*
 * Mount propagation: shared, slave, private and unbindable mounts, in one namespace and over
 * several, as changes come through and as /proc/PID/mountinfo tells. On a real machine that happens
 * in a namespace of the test's own.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* What mountinfo's optional fields say of one mount. */
struct peers {
    bool there, unbindable;
    int id, parent;
    int shared, master, from; /* 0: not said */
};

static const char *dir;

/* begin() - a private tmpfs as scratch directory, in a mount namespace where it is nobody else's */
static void begin(void)
{
    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("needs CAP_SYS_ADMIN");
    if (!guest_sandboxed()) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
            SKIP("no namespaces of one's own here");
    }
    dir = guest_scratch();
    REQUIRE_OK(SYS(mount, "none", dir, "tmpfs", 0, NULL));
    REQUIRE_OK(SYS(mount, NULL, dir, NULL, MS_PRIVATE, NULL));
    REQUIRE_OK(chdir(dir));
}

static void end(void)
{
    EXPECT_OK(chdir("/"));
    EXPECT_OK(SYS(umount2, dir, MNT_DETACH));
}

/* peers_of() - the topmost mount on `name`, below the scratch directory ("": itself) */
static struct peers peers_of(const char *name)
{
    static char text[1 << 16];
    struct peers last = {.there = false};
    char want[256], *line, *rest = text;

    snprintf(want, sizeof(want), "%s%s%s", dir, *name ? "/" : "", name);
    REQUIRE(guest_slurp("/proc/self/mountinfo", text, sizeof(text)) > 0);
    while ((line = strsep(&rest, "\n")) && *line) {
        struct peers p = {.there = true};
        char place[256], *field, *options;

        if (sscanf(line, "%d %d %*s %*s %255s", &p.id, &p.parent, place) != 3 ||
            strcmp(place, want) != 0)
            continue;
        options = strstr(line, place) + strlen(place) + 1;
        strsep(&options, " ");
        while ((field = strsep(&options, " ")) && strcmp(field, "-") != 0) {
            if (sscanf(field, "shared:%d", &p.shared) != 1 &&
                sscanf(field, "master:%d", &p.master) != 1 &&
                sscanf(field, "propagate_from:%d", &p.from) != 1) {
                EXPECT_STREQ(field, "unbindable");
                p.unbindable = true;
            }
        }
        last = p;
    }
    return last;
}

static bool is_mounted(const char *name)
{
    return peers_of(name).there;
}

static void tmpfs_on(const char *name)
{
    mkdir(name, 0755);
    REQUIRE_OK(SYS(mount, "none", name, "tmpfs", 0, NULL));
}

static void bind(const char *from, const char *to, unsigned long more)
{
    mkdir(to, 0755);
    REQUIRE_OK(SYS(mount, from, to, NULL, MS_BIND | more, NULL));
}

static long set(const char *name, unsigned long type)
{
    return SYS(mount, NULL, name, NULL, type, NULL);
}

static bool is_private(struct peers p)
{
    return p.there && !p.shared && !p.master && !p.unbindable;
}

TEST(types, "mount")
{
    struct peers p;
    int group;

    begin();
    tmpfs_on("a");
    EXPECT(is_private(peers_of("a")));
    EXPECT_OK(set("a", MS_SLAVE));
    EXPECT(is_private(peers_of("a")));
    EXPECT_OK(set("a", MS_SHARED));
    group = peers_of("a").shared;
    EXPECT_GT(group, 0);
    EXPECT_OK(set("a", MS_SHARED));
    EXPECT_EQ(peers_of("a").shared, group);
    /* Nobody else is in the group, so there is nobody to follow. */
    EXPECT_OK(set("a", MS_SLAVE));
    EXPECT(is_private(peers_of("a")));
    EXPECT_OK(set("a", MS_UNBINDABLE));
    p = peers_of("a");
    EXPECT(p.unbindable && !p.shared && !p.master);
    /* Nor here, and that is no reason to be bindable. */
    EXPECT_OK(set("a", MS_SLAVE));
    EXPECT(peers_of("a").unbindable);
    EXPECT_OK(set("a", MS_SHARED));
    p = peers_of("a");
    EXPECT(p.shared && !p.unbindable);
    EXPECT_OK(set("a", MS_UNBINDABLE));
    p = peers_of("a");
    EXPECT(p.unbindable && !p.shared);
    EXPECT_OK(set("a", MS_PRIVATE));
    EXPECT(is_private(peers_of("a")));
    end();
}

TEST(types_of_a_tree, "mount")
{
    begin();
    tmpfs_on("a");
    tmpfs_on("a/b");
    EXPECT_OK(set("a", MS_SHARED));
    EXPECT(peers_of("a").shared);
    EXPECT(is_private(peers_of("a/b")));
    EXPECT_OK(set("a", MS_SHARED | MS_REC));
    EXPECT(peers_of("a/b").shared);
    EXPECT_NE(peers_of("a/b").shared, peers_of("a").shared);
    EXPECT_OK(set("a", MS_UNBINDABLE | MS_REC));
    EXPECT(peers_of("a").unbindable && peers_of("a/b").unbindable);
    EXPECT_OK(set("a", MS_PRIVATE | MS_REC));
    EXPECT(is_private(peers_of("a")) && is_private(peers_of("a/b")));
    end();
}

TEST(type_errors, "mount:EINVAL,ENOENT,EFAULT")
{
    begin();
    tmpfs_on("a");
    mkdir("a/d", 0755);
    EXPECT_ERRNO(set("a", MS_SHARED | MS_PRIVATE), EINVAL);
    EXPECT_ERRNO(set("a", MS_SLAVE | MS_UNBINDABLE | MS_REC), EINVAL);
    EXPECT_ERRNO(set("a", MS_SHARED | MS_SYNCHRONOUS), EINVAL);
    EXPECT_ERRNO(set("a", MS_SHARED | MS_NOATIME), EINVAL);
    EXPECT_OK(set("a", MS_PRIVATE | MS_SILENT));
    EXPECT_ERRNO(set("a", MS_SHARED | MS_RDONLY), EINVAL);
    EXPECT_ERRNO(set("a", MS_PRIVATE | MS_NOSUID), EINVAL);
    EXPECT(is_private(peers_of("a")));
    EXPECT_OK(set("a", MS_SHARED));
    EXPECT_ERRNO(set("a/d", MS_SHARED), EINVAL);
    EXPECT_ERRNO(set("a/d", MS_PRIVATE), EINVAL);
    EXPECT_ERRNO(set("none", MS_PRIVATE), ENOENT);
    EXPECT_ERRNO(set((const char *)8, MS_PRIVATE), EFAULT);
    /* Binding and moving come first: this is no change of the type. */
    mkdir("b", 0755);
    EXPECT_OK(SYS(mount, "a/d", "b", NULL, MS_BIND | MS_PRIVATE, NULL));
    EXPECT_EQ(peers_of("b").shared, peers_of("a").shared);
    end();
}

TEST(peers, "mount umount2")
{
    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    EXPECT_EQ(peers_of("b").shared, peers_of("a").shared);
    tmpfs_on("a/x");
    EXPECT(is_mounted("b/x"));
    EXPECT(peers_of("a/x").shared);
    EXPECT_EQ(peers_of("b/x").shared, peers_of("a/x").shared);
    EXPECT_EQ(peers_of("b/x").parent, peers_of("b").id);
    guest_make_file("b/x/file", "x");
    EXPECT_OK(access("a/x/file", F_OK));
    tmpfs_on("b/y");
    EXPECT(is_mounted("a/y"));
    tmpfs_on("a/x/in");
    EXPECT(is_mounted("b/x/in"));
    EXPECT_ERRNO(SYS(umount2, "b/x", 0), EBUSY);
    EXPECT_OK(SYS(umount2, "b/x/in", 0));
    EXPECT(!is_mounted("a/x/in"));
    EXPECT_OK(SYS(umount2, "b/x", 0));
    EXPECT(!is_mounted("a/x") && !is_mounted("b/x"));
    /* What left the group goes its own way. */
    EXPECT_OK(set("b", MS_PRIVATE));
    tmpfs_on("a/x");
    EXPECT(!is_mounted("b/x"));
    EXPECT_OK(SYS(umount2, "a/y", 0));
    EXPECT(is_mounted("b/y"));
    EXPECT(peers_of("b/y").shared);
    end();
}

/* A part of a file system sees only what is below it. */
TEST(peers_of_a_part, "mount umount2")
{
    begin();
    tmpfs_on("a");
    mkdir("a/d", 0755);
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a/d", "part", 0);
    EXPECT_EQ(peers_of("part").shared, peers_of("a").shared);
    tmpfs_on("a/out");
    EXPECT(!is_mounted("part/out"));
    tmpfs_on("a/d/in");
    EXPECT(is_mounted("part/in"));
    EXPECT_OK(SYS(umount2, "part/in", 0));
    EXPECT(!is_mounted("a/d/in"));
    /* On the very root of the part: there it covers all. */
    tmpfs_on("a/d");
    EXPECT(peers_of("part").id != peers_of("a").id);
    guest_make_file("part/file", "x");
    EXPECT_OK(access("a/d/file", F_OK));
    EXPECT_OK(SYS(umount2, "a/d", 0));
    EXPECT_ERRNO(access("part/file", F_OK), ENOENT);
    EXPECT(is_mounted("part"));
    end();
}

TEST(slaves, "mount umount2")
{
    struct peers p;

    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    EXPECT_OK(set("b", MS_SLAVE));
    p = peers_of("b");
    EXPECT(!p.shared);
    EXPECT_EQ(p.master, peers_of("a").shared);
    EXPECT_OK(set("b", MS_SLAVE));
    EXPECT_EQ(peers_of("b").master, peers_of("a").shared);
    tmpfs_on("a/x");
    p = peers_of("b/x");
    EXPECT(p.there && !p.shared);
    EXPECT_EQ(p.master, peers_of("a/x").shared);
    tmpfs_on("b/y");
    EXPECT(!is_mounted("a/y"));
    EXPECT(is_private(peers_of("b/y")));
    EXPECT_OK(SYS(umount2, "b/x", 0));
    EXPECT(is_mounted("a/x"));
    EXPECT_OK(SYS(umount2, "a/x", 0));
    tmpfs_on("a/x");
    EXPECT(is_mounted("b/x"));
    EXPECT_OK(SYS(umount2, "a/x", 0));
    EXPECT(!is_mounted("b/x"));
    /* A slave's bind is a slave of the same. */
    bind("b", "c", 0);
    EXPECT_EQ(peers_of("c").master, peers_of("a").shared);
    tmpfs_on("b/z");
    EXPECT(!is_mounted("c/z"));
    /* Without its master it is on its own. */
    EXPECT_OK(SYS(umount2, "a", 0));
    EXPECT(is_private(peers_of("b")) && is_private(peers_of("c")));
    end();
}

TEST(shared_slaves, "mount umount2")
{
    struct peers a, b, c;

    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    EXPECT_OK(set("b", MS_SLAVE));
    EXPECT_OK(set("b", MS_SHARED));
    bind("b", "c", 0);
    bind("c", "d", 0);
    EXPECT_OK(set("d", MS_SLAVE));
    a = peers_of("a");
    b = peers_of("b");
    c = peers_of("c");
    EXPECT(b.shared && b.shared != a.shared);
    EXPECT_EQ(b.master, a.shared);
    EXPECT_EQ(c.shared, b.shared);
    EXPECT_EQ(c.master, a.shared);
    EXPECT_EQ(peers_of("d").master, b.shared);
    tmpfs_on("a/x");
    EXPECT(is_mounted("b/x") && is_mounted("c/x") && is_mounted("d/x"));
    EXPECT_EQ(peers_of("b/x").shared, peers_of("c/x").shared);
    EXPECT_NE(peers_of("b/x").shared, peers_of("a/x").shared);
    EXPECT_EQ(peers_of("b/x").master, peers_of("a/x").shared);
    EXPECT_EQ(peers_of("c/x").master, peers_of("a/x").shared);
    EXPECT_EQ(peers_of("d/x").master, peers_of("b/x").shared);
    tmpfs_on("c/y");
    EXPECT(!is_mounted("a/y") && is_mounted("b/y") && is_mounted("d/y"));
    /* In the middle of a chain: its slaves follow its master from now on. */
    EXPECT_OK(set("b", MS_PRIVATE));
    EXPECT_OK(set("c", MS_SLAVE));
    c = peers_of("c");
    EXPECT(!c.shared);
    EXPECT_EQ(c.master, a.shared);
    EXPECT_EQ(peers_of("d").master, a.shared);
    EXPECT_OK(SYS(umount2, "a/x", 0));
    EXPECT(is_mounted("b/x"));
    EXPECT(!is_mounted("c/x") && !is_mounted("d/x"));
    end();
}

/* The heir of a master that goes is one of its group. */
TEST(heirs, "mount umount2")
{
    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    bind("a", "s", 0);
    EXPECT_OK(set("s", MS_SLAVE));
    EXPECT_OK(set("a", MS_PRIVATE));
    EXPECT_EQ(peers_of("s").master, peers_of("b").shared);
    tmpfs_on("b/x");
    EXPECT(is_mounted("s/x") && !is_mounted("a/x"));
    EXPECT_OK(SYS(umount2, "b/x", 0));
    EXPECT(!is_mounted("s/x"));
    EXPECT_OK(SYS(umount2, "b", 0));
    EXPECT(is_private(peers_of("s")));
    end();
}

/* The nearest master may have no mount where one looks: then it is said which one farther up has. */
TEST(propagate_from, "mount umount2")
{
    int near, far;

    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    REQUIRE_OK(set("b", MS_SLAVE));
    REQUIRE_OK(set("b", MS_SHARED));
    bind("b", "c", 0);
    REQUIRE_OK(set("c", MS_SLAVE));
    far = peers_of("a").shared;
    near = peers_of("b").shared;
    EXPECT_EQ(peers_of("c").master, near);
    EXPECT_EQ(peers_of("c").from, 0);
    {
        pid_t pid;
        int ready[2], gone[2];
        char byte;

        REQUIRE_OK(pipe(ready));
        REQUIRE_OK(pipe(gone));
        /* The middle one lives on in another namespace. */
        IN_CHILD(pid)
        {
            REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
            EXPECT_EQ(write(ready[1], "x", 1), 1);
            EXPECT_EQ(read(gone[0], &byte, 1), 1);
        }
        EXPECT_EQ(read(ready[0], &byte, 1), 1);
        EXPECT_OK(SYS(umount2, "b", 0));
        EXPECT_EQ(peers_of("c").master, near);
        EXPECT_EQ(peers_of("c").from, far);
        EXPECT_EQ(write(gone[1], "x", 1), 1);
        EXPECT_CHILD_OK(pid);
        WAIT_UNTIL(peers_of("c").master == far);
        EXPECT_EQ(peers_of("c").from, 0);
    }
    end();
}

TEST(unbindable, "mount:EINVAL mount")
{
    begin();
    tmpfs_on("a");
    tmpfs_on("a/b");
    tmpfs_on("a/b/in");
    tmpfs_on("a/c");
    mkdir("to", 0755);
    REQUIRE_OK(set("a/b", MS_UNBINDABLE));
    EXPECT_ERRNO(SYS(mount, "a/b", "to", NULL, MS_BIND, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, "a/b", "to", NULL, MS_BIND | MS_REC, NULL), EINVAL);
    bind("a", "to", MS_REC);
    EXPECT(is_mounted("to/c"));
    EXPECT(!is_mounted("to/b") && !is_mounted("to/b/in"));
    end();
}

TEST(moving, "mount:EINVAL mount umount2")
{
    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    bind("a", "s", 0);
    REQUIRE_OK(set("s", MS_SLAVE));
    tmpfs_on("m");
    tmpfs_on("m/in");
    mkdir("a/to", 0755);
    /* What others would see go stays. */
    tmpfs_on("a/x");
    mkdir("elsewhere", 0755);
    EXPECT_ERRNO(SYS(mount, "a/x", "elsewhere", NULL, MS_MOVE, NULL), EINVAL);
    REQUIRE_OK(set("m/in", MS_UNBINDABLE));
    EXPECT_ERRNO(SYS(mount, "m", "a/to", NULL, MS_MOVE, NULL), EINVAL);
    EXPECT(is_mounted("m/in") && !is_mounted("a/to"));
    REQUIRE_OK(set("m/in", MS_PRIVATE));
    EXPECT_OK(SYS(mount, "m", "a/to", NULL, MS_MOVE, NULL));
    EXPECT(!is_mounted("m") && !is_mounted("m/in"));
    EXPECT(is_mounted("a/to/in") && is_mounted("b/to/in") && is_mounted("s/to/in"));
    EXPECT(peers_of("a/to/in").shared);
    EXPECT_EQ(peers_of("b/to/in").shared, peers_of("a/to/in").shared);
    EXPECT_EQ(peers_of("s/to/in").master, peers_of("a/to/in").shared);
    EXPECT_EQ(peers_of("s/to").master, peers_of("a/to").shared);
    /* Below a slave a mount moves freely. */
    mkdir("back", 0755);
    EXPECT_OK(SYS(mount, "s/to", "back", NULL, MS_MOVE, NULL));
    EXPECT(is_mounted("back/in") && is_mounted("a/to/in"));
    /* It stays where it is now, but what is mounted on its master goes there too. */
    EXPECT_OK(SYS(umount2, "b/to", MNT_DETACH));
    EXPECT(!is_mounted("a/to") && !is_mounted("a/to/in"));
    EXPECT(is_private(peers_of("back")));
    EXPECT(!is_mounted("back/in"));
    end();
}

/* A whole tree is bound below what is shared, and comes whole to all. */
TEST(trees, "mount umount2")
{
    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "b", 0);
    tmpfs_on("t");
    tmpfs_on("t/u");
    tmpfs_on("t/u/v");
    tmpfs_on("t/skip");
    REQUIRE_OK(set("t/skip", MS_UNBINDABLE));
    mkdir("a/t", 0755);
    bind("t", "a/t", MS_REC);
    EXPECT(is_mounted("a/t/u/v") && is_mounted("b/t/u/v"));
    EXPECT(!is_mounted("b/t/skip"));
    EXPECT(is_private(peers_of("t")) && is_private(peers_of("t/u")));
    EXPECT_EQ(peers_of("b/t/u").shared, peers_of("a/t/u").shared);
    EXPECT_EQ(peers_of("b/t/u/v").parent, peers_of("b/t/u").id);
    /* All of it goes everywhere. */
    EXPECT_OK(SYS(umount2, "b/t", MNT_DETACH));
    EXPECT(!is_mounted("a/t") && !is_mounted("a/t/u") && !is_mounted("a/t/u/v"));
    EXPECT(is_mounted("t/u/v"));
    end();
}

/* A shared mount bound into itself is not bound into its own copy. */
TEST(into_itself, "mount umount2")
{
    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    mkdir("a/self", 0755);
    bind("a", "a/self", MS_REC);
    EXPECT(is_mounted("a/self"));
    EXPECT(!is_mounted("a/self/self"));
    EXPECT_EQ(peers_of("a/self").shared, peers_of("a").shared);
    /* From now on they are two of one group. */
    tmpfs_on("a/x");
    EXPECT(is_mounted("a/self/x"));
    EXPECT_OK(SYS(umount2, "a/self/x", 0));
    EXPECT(!is_mounted("a/x"));
    end();
}

/* What comes late to a place slips under what somebody mounted there. */
TEST(under, "mount umount2")
{
    struct peers top;

    begin();
    tmpfs_on("a");
    mkdir("a/x", 0755);
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "s", 0);
    REQUIRE_OK(set("s", MS_SLAVE));
    tmpfs_on("s/x");
    guest_make_file("s/x/own", "x");
    top = peers_of("s/x");
    EXPECT_EQ(top.parent, peers_of("s").id);
    tmpfs_on("a/x");
    guest_make_file("a/x/masters", "x");
    EXPECT_OK(access("s/x/own", F_OK));
    EXPECT_ERRNO(access("s/x/masters", F_OK), ENOENT);
    /* Going, it leaves the one above where it was. */
    EXPECT_OK(SYS(umount2, "a/x", 0));
    EXPECT_OK(access("s/x/own", F_OK));
    EXPECT_EQ(peers_of("s/x").parent, peers_of("s").id);
    EXPECT_EQ(peers_of("s/x").id, top.id);
    tmpfs_on("a/x");
    guest_make_file("a/x/masters", "x");
    EXPECT_OK(SYS(umount2, "s/x", 0));
    EXPECT_OK(access("s/x/masters", F_OK));
    EXPECT_OK(SYS(umount2, "a/x", MNT_DETACH));
    EXPECT(!is_mounted("s/x"));
    end();
}

/* What has somebody's own mount in it, or is in use, stays or keeps all. */
TEST(umount_where_it_is_used, "umount2:EBUSY umount2")
{
    int fd;

    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    bind("a", "s", 0);
    REQUIRE_OK(set("s", MS_SLAVE));
    tmpfs_on("a/x");
    fd = (int)REQUIRE_OK(open("s/x/file", O_RDWR | O_CREAT, 0600));
    EXPECT_ERRNO(SYS(umount2, "a/x", 0), EBUSY);
    EXPECT(is_mounted("a/x") && is_mounted("s/x"));
    close(fd);
    mkdir("s/x/y", 0755);
    tmpfs_on("s/x/y");
    EXPECT_OK(SYS(umount2, "a/x", 0));
    EXPECT(!is_mounted("a/x"));
    EXPECT(is_mounted("s/x") && is_mounted("s/x/y"));
    EXPECT(is_private(peers_of("s/x")));
    tmpfs_on("a/z");
    fd = (int)REQUIRE_OK(open("s/z/file", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(SYS(umount2, "a/z", MNT_DETACH));
    EXPECT(!is_mounted("a/z") && !is_mounted("s/z"));
    EXPECT_EQ(write(fd, "x", 1), 1);
    close(fd);
    end();
}

/* wait_for() - one byte through a pipe */
static void wait_for(int fd)
{
    char byte;

    EXPECT_EQ(read(fd, &byte, 1), 1);
}

static void tell(int fd)
{
    EXPECT_EQ(write(fd, "x", 1), 1);
}

TEST(namespaces, "unshare mount umount2")
{
    int to[2], from[2];
    pid_t pid;

    begin();
    REQUIRE_OK(pipe(to));
    REQUIRE_OK(pipe(from));
    tmpfs_on("shared");
    tmpfs_on("slave");
    tmpfs_on("private");
    tmpfs_on("unbindable");
    REQUIRE_OK(set("shared", MS_SHARED));
    REQUIRE_OK(set("slave", MS_SHARED));
    REQUIRE_OK(set("unbindable", MS_UNBINDABLE));
    IN_CHILD(pid)
    {
        int group = peers_of("shared").shared;

        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        EXPECT_EQ(peers_of("shared").shared, group);
        EXPECT(is_private(peers_of("private")));
        EXPECT(is_mounted("unbindable"));
        EXPECT_OK(set("slave", MS_SLAVE));
        tmpfs_on("shared/x");
        tmpfs_on("slave/x");
        tmpfs_on("private/x");
        tell(from[1]);
        wait_for(to[0]);
        EXPECT(!is_mounted("shared/x"));
        EXPECT(is_mounted("shared/y"));
        EXPECT(is_mounted("slave/x") && is_mounted("slave/y"));
        EXPECT_EQ(peers_of("slave/y").shared, 0);
        EXPECT_GT(peers_of("slave/y").master, 0);
        EXPECT(!is_mounted("private/y"));
        guest_make_file("shared/y/file", "x");
        /* A working directory here keeps it busy there. */
        EXPECT_OK(chdir("shared/y"));
        tell(from[1]);
        wait_for(to[0]);
    }
    wait_for(from[0]);
    EXPECT(is_mounted("shared/x"));
    EXPECT(!is_mounted("slave/x") && !is_mounted("private/x"));
    EXPECT_OK(SYS(umount2, "shared/x", 0));
    tmpfs_on("shared/y");
    tmpfs_on("slave/y");
    tmpfs_on("private/y");
    tell(to[1]);
    wait_for(from[0]);
    EXPECT_OK(access("shared/y/file", F_OK));
    EXPECT_ERRNO(SYS(umount2, "shared/y", 0), EBUSY);
    tell(to[1]);
    EXPECT_CHILD_OK(pid);
    /* A namespace that goes takes nothing of the others with it. */
    EXPECT(is_mounted("shared/y"));
    EXPECT_OK(SYS(umount2, "shared/y", 0));
    end();
}

static void put_text(const char *path, const char *text)
{
    int fd = (int)REQUIRE_OK(open(path, O_WRONLY));

    REQUIRE_OK(write(fd, text, strlen(text)));
    close(fd);
}

/* Who has a user namespace of one's own sees what comes, and changes nothing elsewhere. */
TEST(user_namespaces, "unshare mount umount2:EINVAL")
{
    int to[2], from[2], group;
    struct stat st;
    pid_t pid;

    begin();
    if (stat("/proc/self/ns/user", &st) < 0 || access("/proc/sys/user/max_user_namespaces", F_OK))
        SKIP("no user namespaces");
    REQUIRE_OK(pipe(to));
    REQUIRE_OK(pipe(from));
    tmpfs_on("a");
    mkdir("a/early", 0755);
    REQUIRE_OK(set("a", MS_SHARED));
    group = peers_of("a").shared;
    IN_CHILD(pid)
    {
        char map[64];

        snprintf(map, sizeof(map), "0 %d 1\n", (int)geteuid());
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER | CLONE_NEWNS));
        put_text("/proc/self/uid_map", map);
        EXPECT_EQ(peers_of("a").shared, 0);
        EXPECT_EQ(peers_of("a").master, group);
        EXPECT_OK(SYS(mount, "none", "a/early", "tmpfs", 0, NULL));
        tell(from[1]);
        wait_for(to[0]);
        EXPECT(is_mounted("a/x") && is_mounted("a/x/in"));
        EXPECT_ERRNO(SYS(umount2, "a", 0), EINVAL);
        /* What came may go, as a whole. */
        EXPECT_ERRNO(SYS(umount2, "a/x/in", 0), EINVAL);
        EXPECT_OK(SYS(umount2, "a/x", MNT_DETACH));
        EXPECT(!is_mounted("a/x"));
    }
    wait_for(from[0]);
    EXPECT(!is_mounted("a/early"));
    tmpfs_on("t");
    tmpfs_on("t/in");
    mkdir("a/x", 0755);
    bind("t", "a/x", MS_REC);
    tell(to[1]);
    EXPECT_CHILD_OK(pid);
    EXPECT(is_mounted("a/x/in"));
    end();
}

TEST(pivot_root_beside_shared, "pivot_root:EINVAL")
{
    pid_t pid;

    begin();
    tmpfs_on("a");
    REQUIRE_OK(set("a", MS_SHARED));
    tmpfs_on("a/root");
    mkdir("a/root/old", 0755);
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        /* The new root's parent is shared. */
        EXPECT_ERRNO(SYS(pivot_root, "a/root", "a/root/old"), EINVAL);
        REQUIRE_OK(set("a", MS_PRIVATE));
        /* So is where the old one would be. */
        EXPECT(peers_of("a/root").shared);
        EXPECT_ERRNO(SYS(pivot_root, "a/root", "a/root/old"), EINVAL);
        REQUIRE_OK(set("a/root", MS_PRIVATE));
        EXPECT_OK(SYS(pivot_root, "a/root", "a/root/old"));
    }
    EXPECT_CHILD_OK(pid);
    end();
}

/* A mount made where many look reaches them all, and the bound holds for each namespace. */
TEST(many, "mount umount2")
{
    char name[32];

    begin();
    tmpfs_on("a");
    mkdir("a/x", 0755);
    REQUIRE_OK(set("a", MS_SHARED));
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "b%d", i);
        bind("a", name, 0);
        if (i & 1)
            REQUIRE_OK(set(name, MS_SLAVE));
    }
    for (int round = 0; round < 3; round++) {
        tmpfs_on("a/x");
        for (int i = 0; i < 50; i += 7) {
            snprintf(name, sizeof(name), "b%d/x", i);
            EXPECT(is_mounted(name));
        }
        EXPECT_OK(SYS(umount2, round ? "b48/x" : "a/x", 0));
        EXPECT(!is_mounted("a/x") && !is_mounted("b48/x") && !is_mounted("b49/x"));
    }
    end();
}
