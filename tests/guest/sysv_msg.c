/*
 * System V message queues: msgget, msgsnd, msgrcv, msgctl.
 */
#include "tests/guest/guest.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#define GONE (1 << 20)
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
    long type;
    char text[16384];
};

static key_t own_key(int n)
{
    return (key_t)(0x53000000 + getpid() * 16 + n);
}

static int make(void)
{
    return (int)REQUIRE_OK(SYS(msgget, IPC_PRIVATE, IPC_CREAT | 0600));
}

static void end(int id)
{
    EXPECT_OK(SYS(msgctl, id, IPC_RMID, NULL));
}

static long send_text(int id, long type, const char *text, int flags)
{
    struct message m = {.type = type};

    memcpy(m.text, text, strlen(text));
    return SYS(msgsnd, id, &m, strlen(text), flags);
}

static struct msqid_ds stat_of(int id)
{
    struct msqid_ds ds;

    memset(&ds, 0xff, sizeof(ds));
    EXPECT_OK(SYS(msgctl, id, IPC_STAT, &ds));
    return ds;
}

/* The next message as "type:text", or the errno. */
static const char *next(int id, long type, int flags)
{
    static char out[17000];
    struct message m = {0};
    long n = SYS(msgrcv, id, &m, sizeof(m.text) - 1, type, flags | IPC_NOWAIT);

    if (n < 0)
        snprintf(out, sizeof(out), "%s", strerror(errno));
    else
        snprintf(out, sizeof(out), "%ld:%.*s", m.type, (int)n, m.text);
    return out;
}

TEST(send_and_receive, "msgget msgsnd msgrcv msgctl")
{
    int id = make();
    struct message m;

    EXPECT_OK(send_text(id, 3, "hello", 0));
    EXPECT_EQ(SYS(msgsnd, id, &(struct message){.type = 4}, 0, 0), 0);
    EXPECT_EQ(SYS(msgrcv, id, &m, 100, 0, 0), 5);
    EXPECT_EQ(m.type, 3);
    EXPECT_MEMEQ(m.text, "hello", 5);
    EXPECT_EQ(SYS(msgrcv, id, &m, 0, 0, 0), 0);
    EXPECT_EQ(m.type, 4);
    end(id);
}

TEST(types, "msgrcv msgrcv:ENOMSG")
{
    int id = make();

    for (long t = 5; t >= 1; t--)
        EXPECT_OK(send_text(id, t, "x", 0));
    EXPECT_OK(send_text(id, 2, "y", 0));
    EXPECT_STREQ(next(id, 2, 0), "2:x");
    EXPECT_STREQ(next(id, -3, 0), "1:x");
    EXPECT_STREQ(next(id, -3, 0), "2:y");
    EXPECT_STREQ(next(id, 5, MSG_EXCEPT), "4:x");
    EXPECT_STREQ(next(id, -2, 0), strerror(ENOMSG));
    EXPECT_STREQ(next(id, 9, 0), strerror(ENOMSG));
    EXPECT_STREQ(next(id, 0, 0), "5:x");
    EXPECT_STREQ(next(id, (long)(1ul << 63), 0), "3:x");
    EXPECT_STREQ(next(id, 0, 0), strerror(ENOMSG));
    end(id);
}

TEST(too_long, "msgrcv:E2BIG")
{
    int id = make();
    struct message m;

    EXPECT_OK(send_text(id, 1, "0123456789", 0));
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 5, 0, 0), E2BIG);
    EXPECT_EQ(SYS(msgrcv, id, &m, 5, 0, MSG_NOERROR), 5);
    EXPECT_MEMEQ(m.text, "01234", 5);
    EXPECT_EQ(stat_of(id).msg_qnum, 0);
    end(id);
}

TEST(copies, "msgrcv msgrcv:EINVAL,ENOMSG,E2BIG")
{
    int id = make();
    struct message m;

    EXPECT_OK(send_text(id, 7, "one", 0));
    EXPECT_OK(send_text(id, 8, "two!", 0));
    if (SYS(msgrcv, id, &m, 100, 0, MSG_COPY | IPC_NOWAIT) == -1 && errno == ENOSYS) {
        end(id);
        SKIP("a kernel without checkpoints");
    }
    EXPECT_STREQ(next(id, 1, MSG_COPY), "8:two!");
    EXPECT_STREQ(next(id, 0, MSG_COPY), "7:one");
    EXPECT_STREQ(next(id, 2, MSG_COPY), strerror(ENOMSG));
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 100, 0, MSG_COPY), EINVAL);
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 2, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 2, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT), EINVAL);
    EXPECT_EQ(stat_of(id).msg_qnum, 2);
    end(id);
}

TEST(errors,
     "msgsnd:EINVAL,EFAULT,EAGAIN msgrcv:EINVAL,EFAULT msgctl:EINVAL,EFAULT msgget:ENOENT,EEXIST")
{
    struct message m = {.type = 1};
    int id = make(), named;
    struct msqid_ds ds;

    EXPECT_ERRNO(send_text(id, 0, "x", 0), EINVAL);
    EXPECT_ERRNO(send_text(id, -1, "x", 0), EINVAL);
    EXPECT_ERRNO(SYS(msgsnd, id, &m, -1l, 0), EINVAL);
    EXPECT_ERRNO(SYS(msgsnd, id, &m, 8193, 0), EINVAL);
    EXPECT_ERRNO(SYS(msgsnd, -1, &m, 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(msgsnd, id + GONE, &m, 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(msgsnd, id, guest_bad_page(), 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(msgsnd, id, guest_bad_page() - 8, 1, 0), EINVAL); /* its type is 0 */
    EXPECT_ERRNO(SYS(msgrcv, id, &m, -1l, 0, IPC_NOWAIT), EINVAL);
    EXPECT_ERRNO(SYS(msgrcv, -1, &m, 1, 0, IPC_NOWAIT), EINVAL);
    EXPECT_ERRNO(SYS(msgrcv, id + GONE, &m, 1, 0, IPC_NOWAIT), EINVAL);
    EXPECT_OK(send_text(id, 1, "lost", 0));
    EXPECT_ERRNO(SYS(msgrcv, id, guest_bad_page(), 10, 0, IPC_NOWAIT), EFAULT);
    EXPECT_EQ(stat_of(id).msg_qnum, 0);
    EXPECT_ERRNO(SYS(msgctl, id, IPC_STAT, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(msgctl, id, IPC_SET, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(msgctl, id, 9999, &ds), EINVAL);
    EXPECT_ERRNO(SYS(msgctl, -1, IPC_STAT, &ds), EINVAL);
    EXPECT_ERRNO(SYS(msgctl, id, -1, &ds), EINVAL);
    EXPECT_ERRNO(SYS(msgget, own_key(0), 0), ENOENT);
    named = (int)EXPECT_OK(SYS(msgget, own_key(0), IPC_CREAT | IPC_EXCL | 0600));
    EXPECT_ERRNO(SYS(msgget, own_key(0), IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    EXPECT_EQ(SYS(msgget, own_key(0), IPC_CREAT | 0600), named);
    end(named);
    end(id);
}

TEST(stat, "msgctl")
{
    int id = (int)REQUIRE_OK(SYS(msgget, own_key(1), IPC_CREAT | IPC_EXCL | 0640)), found = 0;
    struct msqid_ds ds = stat_of(id);
    struct msginfo info;
    long last;
    pid_t pid;

    EXPECT_EQ(ds.msg_perm.mode, 0640);
    EXPECT_EQ(ds.msg_perm.__key, own_key(1));
    EXPECT_EQ(ds.msg_qnum, 0);
    EXPECT_EQ(ds.__msg_cbytes, 0);
    EXPECT_GT(ds.msg_qbytes, 0);
    EXPECT_EQ(ds.msg_stime, 0);
    EXPECT_EQ(ds.msg_rtime, 0);
    EXPECT_EQ(ds.msg_lspid, 0);
    EXPECT_GT(ds.msg_ctime, 0);
    IN_CHILD(pid)
    {
        EXPECT_OK(send_text(id, 1, "12345", 0));
    }
    EXPECT_CHILD_OK(pid);
    ds = stat_of(id);
    EXPECT_EQ(ds.msg_qnum, 1);
    EXPECT_EQ(ds.__msg_cbytes, 5);
    EXPECT_EQ(ds.msg_lspid, pid);
    EXPECT_GT(ds.msg_stime, 0);
    EXPECT_STREQ(next(id, 0, 0), "1:12345");
    EXPECT_EQ(stat_of(id).msg_lrpid, getpid());
    EXPECT_GE(SYS(msgctl, 0, IPC_INFO, &info), 0);
    EXPECT_GE(info.msgmax, 8192);
    last = SYS(msgctl, 0, MSG_INFO, &info);
    EXPECT_GE(info.msgpool, 1);
    for (long i = 0; i <= last; i++)
        found += SYS(msgctl, i, MSG_STAT, &ds) == id && SYS(msgctl, i, MSG_STAT_ANY, &ds) == id;
    EXPECT_EQ(found, 1);
    end(id);
}

TEST(full, "msgsnd:EAGAIN msgsnd")
{
    struct message m = {.type = 1};
    int id = make();
    struct msqid_ds ds = stat_of(id);
    pid_t pid;

    ds.msg_qbytes = 100;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    EXPECT_OK(SYS(msgsnd, id, &m, 60, 0));
    EXPECT_ERRNO(SYS(msgsnd, id, &m, 60, IPC_NOWAIT), EAGAIN);
    EXPECT_OK(SYS(msgsnd, id, &m, 40, IPC_NOWAIT));
    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(msgsnd, id, &m, 50, 0));
    }
    guest_sleep_ms(20);
    EXPECT_EQ(stat_of(id).msg_qnum, 2);
    EXPECT_EQ(SYS(msgrcv, id, &m, 100, 0, 0), 60);
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(stat_of(id).__msg_cbytes, 90);
    /* More room by IPC_SET wakes senders, too. */
    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(msgsnd, id, &m, 50, 0));
    }
    guest_sleep_ms(20);
    ds.msg_qbytes = 200;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(empty_messages_fill, "msgsnd:EAGAIN")
{
    struct message m = {.type = 1};
    int id = make();
    struct msqid_ds ds = stat_of(id);

    ds.msg_qbytes = 3;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(SYS(msgsnd, id, &m, 0, IPC_NOWAIT));
    EXPECT_ERRNO(SYS(msgsnd, id, &m, 0, IPC_NOWAIT), EAGAIN);
    end(id);
}

TEST(receiver_waits, "msgrcv msgsnd")
{
    int id = make();
    pid_t pid;

    IN_CHILD(pid)
    {
        struct message m;

        EXPECT_EQ(SYS(msgrcv, id, &m, 100, 5, 0), 3);
        EXPECT_EQ(m.type, 5);
        EXPECT_MEMEQ(m.text, "two", 3);
    }
    guest_sleep_ms(10);
    EXPECT_OK(send_text(id, 4, "one", 0));
    EXPECT_OK(send_text(id, 5, "two", 0));
    EXPECT_CHILD_OK(pid);
    EXPECT_STREQ(next(id, 0, 0), "4:one");
    end(id);
}

TEST(waiting_receiver_too_small, "msgrcv:E2BIG")
{
    int id = make();
    pid_t pid;

    IN_CHILD(pid)
    {
        struct message m;

        EXPECT_ERRNO(SYS(msgrcv, id, &m, 2, 0, 0), E2BIG);
    }
    guest_sleep_ms(20);
    EXPECT_OK(send_text(id, 1, "long", 0));
    EXPECT_CHILD_OK(pid);
    EXPECT_STREQ(next(id, 0, 0), "1:long");
    end(id);
}

TEST(removed_while_waiting, "msgrcv:EIDRM msgsnd:EIDRM")
{
    struct message m = {.type = 1};
    int id = make();
    struct msqid_ds ds = stat_of(id);
    pid_t a, b;

    ds.msg_qbytes = 10;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    EXPECT_OK(SYS(msgsnd, id, &m, 10, 0));
    IN_CHILD(a)
    {
        EXPECT_ERRNO(SYS(msgrcv, id, &m, 100, 77, 0), EIDRM);
    }
    IN_CHILD(b)
    {
        EXPECT_ERRNO(SYS(msgsnd, id, &m, 10, 0), EIDRM);
    }
    guest_sleep_ms(50);
    end(id);
    EXPECT_CHILD_OK(a);
    EXPECT_CHILD_OK(b);
}

TEST(interrupted, "msgrcv:EINTR msgsnd:EINTR")
{
    struct message m = {.type = 1};
    int id = make();
    struct msqid_ds ds = stat_of(id);
    pid_t pest;

    ds.msg_qbytes = 10;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    EXPECT_OK(SYS(msgsnd, id, &m, 10, 0));
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 5);
    EXPECT_ERRNO(SYS(msgrcv, id, &m, 100, 9, 0), EINTR);
    EXPECT_ERRNO(SYS(msgsnd, id, &m, 10, 0), EINTR);
    guest_end(pest);
    end(id);
}

static void become(int id)
{
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, id, id, id));
    REQUIRE_OK(SYS(setresuid, id, id, id));
}

TEST(permissions, "msgget:EACCES msgsnd:EACCES msgrcv:EACCES msgctl:EACCES,EPERM")
{
    struct msqid_ds ds;
    key_t key = own_key(2);
    int id;
    pid_t pid;

    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID))
        SKIP("needs root");
    id = (int)REQUIRE_OK(SYS(msgget, key, IPC_CREAT | IPC_EXCL | 0602));
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_OK(send_text(id, 1, "mine", 0));
        EXPECT_ERRNO(SYS(msgrcv, id, &ds, 10, 0, IPC_NOWAIT), EACCES);
        EXPECT_ERRNO(SYS(msgctl, id, IPC_STAT, &ds), EACCES);
        EXPECT_ERRNO(SYS(msgget, key, 0444), EACCES);
        EXPECT_EQ(SYS(msgget, key, 0222), id);
        EXPECT_ERRNO(SYS(msgctl, id, IPC_RMID, NULL), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    ds = stat_of(id);
    ds.msg_perm.uid = 1234;
    ds.msg_perm.mode = 0400;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_ERRNO(send_text(id, 1, "no", 0), EACCES);
        EXPECT_STREQ(next(id, 0, 0), "1:mine");
        ds = stat_of(id);
        ds.msg_qbytes = 1 << 20;
        EXPECT_ERRNO(SYS(msgctl, id, IPC_SET, &ds), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(listed_in_proc, "msgget")
{
    int id = (int)REQUIRE_OK(SYS(msgget, own_key(3), IPC_CREAT | IPC_EXCL | 0640));
    char want[200], *text = malloc(1 << 20);

    EXPECT_OK(send_text(id, 1, "12345", 0));
    REQUIRE(guest_slurp("/proc/sysvipc/msg", text, 1 << 20) > 0);
    EXPECT(
        strstr(text,
               "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
               "cgid      stime      rtime      ctime\n") == text);
    snprintf(want, sizeof(want), "\n%10d %10d  %4o  %10d %10d %5d %5d %5d %5d %5d %5d ", own_key(3),
             id, 0640, 5, 1, getpid(), 0, (int)geteuid(), (int)getegid(), (int)geteuid(),
             (int)getegid());
    EXPECT(strstr(text, want) != NULL);
    REQUIRE(guest_slurp("/proc/sys/kernel/msgmax", text, 100) > 0);
    EXPECT_GE(strtol(text, NULL, 10), 8192);
    REQUIRE(guest_slurp("/proc/sys/kernel/msgmnb", text, 100) > 0);
    REQUIRE(guest_slurp("/proc/sys/kernel/msgmni", text, 100) > 0);
    end(id);
}

/* Many senders and receivers: every message arrives once. */
TEST_SLOW(crowd, 60, "msgsnd msgrcv")
{
    enum { N = 4, EACH = 200 };
    int id = make();
    long *sum = guest_shared(sizeof(long));
    struct msqid_ds ds = stat_of(id);
    pid_t pids[2 * N];

    ds.msg_qbytes = 64;
    EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
    for (int k = 0; k < 2 * N; k++) {
        IN_CHILD(pids[k])
        {
            struct message m = {.type = 1 + k};

            for (int i = 1; i <= EACH; i++) {
                if (k < N) {
                    memcpy(m.text, &i, sizeof(i));
                    EXPECT_OK(SYS(msgsnd, id, &m, 8 + k, 0));
                } else {
                    int got;

                    EXPECT_OK(SYS(msgrcv, id, &m, 100, 0, 0));
                    memcpy(&got, m.text, sizeof(got));
                    __atomic_add_fetch(sum, got, __ATOMIC_SEQ_CST);
                }
            }
        }
    }
    for (int k = 0; k < 2 * N; k++)
        EXPECT_CHILD_OK(pids[k]);
    EXPECT_EQ(*sum, (long)N * EACH * (EACH + 1) / 2);
    end(id);
}
