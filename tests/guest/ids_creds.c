/*
 * Who one is: process, group and session ids, user and group ids, capabilities, prctl.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define NOBODY 65534

static void need_setid(void)
{
    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs root with CAP_SETUID and CAP_SETGID");
}

static void expect_uids(uid_t real, uid_t effective, uid_t saved)
{
    uid_t r = ~0u, e = ~0u, s = ~0u;

    EXPECT_OK(SYS(getresuid, &r, &e, &s));
    EXPECT_EQ(r, real);
    EXPECT_EQ(e, effective);
    EXPECT_EQ(s, saved);
    EXPECT_EQ(SYS(getuid), real);
    EXPECT_EQ(SYS(geteuid), effective);
}

static void expect_gids(gid_t real, gid_t effective, gid_t saved)
{
    gid_t r = ~0u, e = ~0u, s = ~0u;

    EXPECT_OK(SYS(getresgid, &r, &e, &s));
    EXPECT_EQ(r, real);
    EXPECT_EQ(e, effective);
    EXPECT_EQ(s, saved);
    EXPECT_EQ(SYS(getgid), real);
    EXPECT_EQ(SYS(getegid), effective);
}

TEST(pids, "getpid getppid gettid fork")
{
    long self = SYS(getpid);
    pid_t pid;

    EXPECT_GT(self, 0);
    EXPECT_EQ(SYS(gettid), self);
    EXPECT_GE(SYS(getppid), 0);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(getppid), self);
        EXPECT_NE(SYS(getpid), self);
        EXPECT_EQ(SYS(gettid), SYS(getpid));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pids_differ, "fork getpid")
{
    pid_t pids[20];

    for (int i = 0; i < 20; i++) {
        IN_CHILD(pids[i]) {
            pause();
        }
        for (int k = 0; k < i; k++)
            EXPECT_NE(pids[i], pids[k]);
        EXPECT_NE(pids[i], getpid());
    }
    for (int i = 0; i < 20; i++)
        guest_end(pids[i]);
}

TEST(process_groups, "getpgid getpgrp setpgid getpgid:ESRCH")
{
    pid_t pid;

    EXPECT_EQ(SYS(getpgrp), getpid());
    EXPECT_EQ(SYS(getpgid, 0), getpid());
    EXPECT_EQ(SYS(getpgid, getpid()), getpid());
    EXPECT_ERRNO(SYS(getpgid, 0x3ffffff0), ESRCH);
    EXPECT_ERRNO(SYS(getpgid, -1), ESRCH);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(getpgrp), getppid());
        EXPECT_OK(SYS(setpgid, 0, 0));
        EXPECT_EQ(SYS(getpgrp), getpid());
        EXPECT_OK(SYS(setpgid, 0, getppid()));
        EXPECT_EQ(SYS(getpgrp), getppid());
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid) {
        pause();
    }
    EXPECT_OK(SYS(setpgid, pid, pid));
    EXPECT_EQ(SYS(getpgid, pid), pid);
    guest_end(pid);
}

TEST(setpgid_errors, "setpgid:EINVAL,ESRCH,EPERM,EACCES")
{
    int ends[2];
    char byte;
    pid_t pid;
    const char *args[] = {"self", "--helper", "tell_and_wait", NULL};

    EXPECT_ERRNO(SYS(setpgid, 0, -1), EINVAL);
    EXPECT_ERRNO(SYS(setpgid, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(setpgid, -1, getpid()), ESRCH);
    EXPECT_ERRNO(SYS(setpgid, 0x3ffffff0, 0), ESRCH);
    EXPECT_ERRNO(SYS(setpgid, getppid(), 0), ESRCH);
    EXPECT_ERRNO(SYS(setpgid, 0, 0x3ffffff0), EPERM);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(setsid), getpid());
        EXPECT_ERRNO(SYS(setpgid, 0, 0), EPERM);
        EXPECT_ERRNO(SYS(setpgid, 0, getppid()), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    /* A child that has executed something is no longer ours to move. */
    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        dup2(ends[1], STDOUT_FILENO);
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    EXPECT_ERRNO(SYS(setpgid, pid, pid), EACCES);
    guest_end(pid);
}

HELPER(tell_and_wait)
{
    if (write(STDOUT_FILENO, "x", 1) == 1)
        pause();
    return 0;
}

TEST(sessions, "setsid getsid setsid:EPERM getsid:ESRCH")
{
    pid_t pid;

    /* The leader of a group cannot make a session: we are one. */
    EXPECT_ERRNO(SYS(setsid), EPERM);
    EXPECT_EQ(SYS(getsid, 0), SYS(getsid, getpid()));
    EXPECT_ERRNO(SYS(getsid, 0x3ffffff0), ESRCH);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(getsid, 0), SYS(getsid, getppid()));
        EXPECT_EQ(SYS(setsid), getpid());
        EXPECT_EQ(SYS(getsid, 0), getpid());
        EXPECT_EQ(SYS(getpgrp), getpid());
        EXPECT_ERRNO(SYS(setsid), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(setresuid_basic, "setresuid getresuid getuid geteuid setresuid:EPERM getresuid:EFAULT")
{
    uid_t id;
    pid_t pid;

    need_setid();
    expect_uids(0, 0, 0);
    EXPECT_ERRNO(SYS(getresuid, (void *)8, &id, &id), EFAULT);
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setresuid, -1, 1000, -1));
        expect_uids(0, 1000, 0);
        EXPECT_ERRNO(SYS(setresuid, 1000, 0, 2000), EPERM);
        EXPECT_OK(SYS(setresuid, -1, 0, -1));
        EXPECT_OK(SYS(setresuid, 1000, 0, 2000));
        expect_uids(1000, 0, 2000);
        EXPECT_OK(SYS(setresuid, 1000, 1000, 2000));
        expect_uids(1000, 1000, 2000);
        EXPECT_ERRNO(SYS(setresuid, 0, -1, -1), EPERM);
        EXPECT_ERRNO(SYS(setresuid, -1, 3000, -1), EPERM);
        EXPECT_OK(SYS(setresuid, 2000, 1000, 1000));
        expect_uids(2000, 1000, 1000);
        EXPECT_OK(SYS(setresuid, -1, -1, -1));
        expect_uids(2000, 1000, 1000);
    }
    EXPECT_CHILD_OK(pid);
    expect_uids(0, 0, 0);
}

TEST(setuid_basic, "setuid setuid:EPERM")
{
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setuid, 1000));
        expect_uids(1000, 1000, 1000);
        EXPECT_OK(SYS(setuid, 1000));
        EXPECT_ERRNO(SYS(setuid, 0), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid) {
        /* Without privilege only the effective one moves, among real and saved. */
        EXPECT_OK(SYS(setresuid, 1000, 1000, 2000));
        EXPECT_OK(SYS(setuid, 2000));
        expect_uids(1000, 2000, 2000);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_ERRNO(SYS(setuid, -1), EINVAL);
}

TEST(setreuid_basic, "setreuid setregid setreuid:EPERM setregid:EPERM")
{
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setregid, 1000, 2000));
        expect_gids(1000, 2000, 2000);
        EXPECT_OK(SYS(setreuid, 1000, -1));
        expect_uids(1000, 0, 0);
        EXPECT_OK(SYS(setreuid, -1, 2000));
        expect_uids(1000, 2000, 2000);
        EXPECT_ERRNO(SYS(setreuid, 3000, -1), EPERM);
        EXPECT_ERRNO(SYS(setregid, 3000, -1), EPERM);
        EXPECT_OK(SYS(setreuid, 2000, 1000));
        expect_uids(2000, 1000, 1000);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(gids_basic, "setgid setresgid getresgid getgid getegid setgid:EPERM setresgid:EPERM getresgid:EFAULT")
{
    gid_t id;
    pid_t pid;

    need_setid();
    EXPECT_ERRNO(SYS(getresgid, &id, &id, (void *)8), EFAULT);
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setresgid, 1, 2, 3));
        expect_gids(1, 2, 3);
        EXPECT_OK(SYS(setgid, 7));
        expect_gids(7, 7, 7);
        EXPECT_OK(SYS(setresgid, 1, 2, 3));
        EXPECT_OK(SYS(setresuid, NOBODY, NOBODY, NOBODY));
        EXPECT_OK(SYS(setgid, 3));
        expect_gids(1, 3, 3);
        EXPECT_ERRNO(SYS(setgid, 7), EPERM);
        EXPECT_ERRNO(SYS(setresgid, 7, -1, -1), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(groups, "setgroups getgroups setgroups:EPERM,EINVAL,EFAULT getgroups:EINVAL,EFAULT")
{
    gid_t list[4] = {30, 10, 20, 40}, got[8];
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setgroups, 4, list));
        EXPECT_EQ(SYS(getgroups, 0, NULL), 4);
        EXPECT_EQ(SYS(getgroups, 8, got), 4);
        /* Kept sorted, as Linux does. */
        EXPECT(got[0] == 10 && got[1] == 20 && got[2] == 30 && got[3] == 40);
        EXPECT_ERRNO(SYS(getgroups, 3, got), EINVAL);
        EXPECT_ERRNO(SYS(getgroups, -1, got), EINVAL);
        EXPECT_ERRNO(SYS(getgroups, 8, (void *)8), EFAULT);
        EXPECT_ERRNO(SYS(setgroups, 4, (void *)8), EFAULT);
        EXPECT_ERRNO(SYS(setgroups, 65537, list), EINVAL);
        EXPECT_OK(SYS(setgroups, 0, NULL));
        EXPECT_EQ(SYS(getgroups, 8, got), 0);
        EXPECT_OK(SYS(setresuid, NOBODY, NOBODY, NOBODY));
        EXPECT_ERRNO(SYS(setgroups, 0, NULL), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(groups_give_access, "setgroups open")
{
    gid_t list[1] = {4242};
    pid_t pid;

    need_setid();
    if (!guest_has_cap(CAP_CHOWN))
        SKIP("needs CAP_CHOWN");
    guest_scratch();
    guest_make_file("file", "x");
    REQUIRE_OK(chown("file", 0, 4242));
    REQUIRE_OK(chmod("file", 0640));
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setgroups, 1, list));
        REQUIRE_OK(SYS(setresgid, NOBODY, NOBODY, NOBODY));
        REQUIRE_OK(SYS(setresuid, NOBODY, NOBODY, NOBODY));
        EXPECT_OK(open("file", O_RDONLY));
        EXPECT_ERRNO(open("file", O_RDWR), EACCES);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(fsids, "setfsuid setfsgid")
{
    pid_t pid;

    need_setid();
    guest_scratch();
    guest_make_file("file", "x");
    REQUIRE_OK(chmod("file", 0600));
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(setfsuid, NOBODY), 0);
        EXPECT_EQ(SYS(setfsuid, -1), NOBODY);
        EXPECT_ERRNO(open("file", O_RDONLY), EACCES);
        EXPECT_EQ(SYS(setfsuid, 0), NOBODY);
        EXPECT_OK(open("file", O_RDONLY));
        EXPECT_EQ(SYS(setfsgid, 5), 0);
        EXPECT_EQ(SYS(setfsgid, -1), 5);
    }
    EXPECT_CHILD_OK(pid);
}

/* effective_of() - the lower half of the effective capabilities, the permitted in *permitted */
static uint32_t effective_of(uint32_t *permitted)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    EXPECT_OK(SYS(capget, &head, data));
    if (permitted)
        *permitted = data[0].permitted;
    return data[0].effective;
}

TEST(capabilities_and_uids, "capget setresuid prctl")
{
    uint32_t permitted = 0;
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        /* The effective ones go with the effective uid and come back with it. */
        EXPECT_OK(SYS(setresuid, -1, NOBODY, -1));
        EXPECT_EQ(effective_of(&permitted), 0);
        EXPECT_NE(permitted, 0);
        EXPECT_OK(SYS(setresuid, -1, 0, -1));
        EXPECT_EQ(effective_of(&permitted), permitted);
        /* All three gone: for good. */
        EXPECT_OK(SYS(setresuid, NOBODY, NOBODY, NOBODY));
        EXPECT_EQ(effective_of(&permitted), 0);
        EXPECT_EQ(permitted, 0);
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid) {
        EXPECT_OK(SYS(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
        EXPECT_OK(SYS(setresuid, NOBODY, NOBODY, NOBODY));
        EXPECT_EQ(effective_of(&permitted), 0);
        EXPECT_NE(permitted, 0);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(capset_drops, "capset capget capset:EPERM,EINVAL,EFAULT capget:EINVAL,EFAULT,ESRCH")
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    pid_t pid;

    EXPECT_ERRNO(SYS(capget, (void *)8, data), EFAULT);
    head.pid = 0x3ffffff0;
    EXPECT_ERRNO(SYS(capget, &head, data), ESRCH);
    head.pid = -1;
    EXPECT_ERRNO(SYS(capget, &head, data), EINVAL);
    head.pid = 0;
    head.version = 7;
    EXPECT_ERRNO(SYS(capget, &head, data), EINVAL);
    /* Asked with an unknown version it tells its own. */
    EXPECT_EQ(head.version, _LINUX_CAPABILITY_VERSION_3);
    EXPECT_ERRNO(SYS(capset, &head, (void *)8), EFAULT);
    if (!guest_has_cap(CAP_KILL))
        SKIP("needs CAP_KILL");
    IN_CHILD(pid) {
        EXPECT_OK(SYS(capget, &head, data));
        data[0].effective &= ~(1u << CAP_KILL);
        EXPECT_OK(SYS(capset, &head, data));
        EXPECT(!guest_has_cap(CAP_KILL));
        data[0].effective |= 1u << CAP_KILL;
        EXPECT_OK(SYS(capset, &head, data));
        EXPECT(guest_has_cap(CAP_KILL));
        data[0].effective &= ~(1u << CAP_KILL);
        data[0].permitted &= ~(1u << CAP_KILL);
        EXPECT_OK(SYS(capset, &head, data));
        data[0].permitted |= 1u << CAP_KILL;
        EXPECT_ERRNO(SYS(capset, &head, data), EPERM);
        head.pid = getppid();
        EXPECT_ERRNO(SYS(capset, &head, data), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(dac_needs_capability, "capset open")
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    pid_t pid;

    need_setid();
    guest_scratch();
    guest_make_file("file", "x");
    REQUIRE_OK(chmod("file", 0));
    IN_CHILD(pid) {
        EXPECT_OK(SYS(capset, &head, data));
        /* Owner, uid 0, but without the capability: the mode holds. */
        EXPECT_ERRNO(open("file", O_RDONLY), EACCES);
        EXPECT_OK(SYS(chmod, "file", 0400));
        EXPECT_OK(open("file", O_RDONLY));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(bounding_set, "prctl prctl:EINVAL")
{
    pid_t pid;

    EXPECT_GE(SYS(prctl, PR_CAPBSET_READ, CAP_KILL, 0, 0, 0), 0);
    EXPECT_ERRNO(SYS(prctl, PR_CAPBSET_READ, 63, 0, 0, 0), EINVAL);
    if (!guest_has_cap(CAP_SETPCAP))
        SKIP("needs CAP_SETPCAP");
    IN_CHILD(pid) {
        EXPECT_OK(SYS(prctl, PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0));
        EXPECT_EQ(SYS(prctl, PR_CAPBSET_READ, CAP_KILL, 0, 0, 0), 0);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(prctl_name, "prctl prctl:EFAULT")
{
    char name[17], line[64];

    EXPECT_OK(SYS(prctl, PR_SET_NAME, "a name longer than fifteen", 0, 0, 0));
    memset(name, '#', sizeof(name));
    EXPECT_OK(SYS(prctl, PR_GET_NAME, name, 0, 0, 0));
    EXPECT_MEMEQ(name, "a name longer t\0#", 17);
    guest_slurp("/proc/self/comm", line, sizeof(line));
    EXPECT_STREQ(line, "a name longer t\n");
    EXPECT_ERRNO(SYS(prctl, PR_SET_NAME, (void *)8, 0, 0, 0), EFAULT);
    EXPECT_ERRNO(SYS(prctl, PR_GET_NAME, (void *)8, 0, 0, 0), EFAULT);
}

TEST(prctl_flags, "prctl prctl:EINVAL")
{
    int value = -1;
    pid_t pid;

    EXPECT_ERRNO(SYS(prctl, 9999, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_SET_PDEATHSIG, 65, 0, 0, 0), EINVAL);
    EXPECT_OK(SYS(prctl, PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0));
    EXPECT_OK(SYS(prctl, PR_GET_PDEATHSIG, &value, 0, 0, 0));
    EXPECT_EQ(value, SIGHUP);
    EXPECT_EQ(SYS(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    EXPECT_OK(SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
    EXPECT_EQ(SYS(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    EXPECT_ERRNO(SYS(prctl, PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
    IN_CHILD(pid) {
        EXPECT_OK(SYS(prctl, PR_GET_PDEATHSIG, &value, 0, 0, 0));
        EXPECT_EQ(value, 0);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(no_new_privs, "prctl prctl:EINVAL fork")
{
    long before = EXPECT_OK(SYS(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    pid_t pid;

    EXPECT(before == 0 || before == 1);
    EXPECT_ERRNO(SYS(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    EXPECT_OK(SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    EXPECT_EQ(SYS(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(securebits_and_subreaper, "prctl")
{
    int value = -1;

    EXPECT_GE(SYS(prctl, PR_GET_SECUREBITS, 0, 0, 0, 0), 0);
    EXPECT_OK(SYS(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    EXPECT_OK(SYS(prctl, PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0));
    EXPECT_EQ(value, 1);
}

TEST(umask_basic, "umask fork")
{
    pid_t pid;

    EXPECT_EQ(SYS(umask, 0), 022);
    EXPECT_EQ(SYS(umask, 0177777), 0);
    EXPECT_EQ(SYS(umask, 027), 0777);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(umask, 0), 027);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(SYS(umask, 0), 027);
}

TEST(status_shows_ids, "setresuid setresgid open")
{
    char text[4096];
    pid_t pid;

    need_setid();
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresgid, 5, 6, 7));
        REQUIRE_OK(SYS(setresuid, 1, 2, 3));
        if (guest_slurp("/proc/self/status", text, sizeof(text)) > 0) {
            EXPECT(strstr(text, "\nUid:\t1\t2\t3\t2\n"));
            EXPECT(strstr(text, "\nGid:\t5\t6\t7\t6\n"));
        }
    }
    EXPECT_CHILD_OK(pid);
}
