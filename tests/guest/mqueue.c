/*
 * POSIX message queues: mq_open and what is done with its descriptors, the mqueue file system,
 * limits. What needs privileges happens, on a real machine, in an IPC namespace of the test's own.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

static char name[64]; /* of the test's queue, without a slash as the kernel wants it */

static int opened(int flags, long count, long size)
{
    struct mq_attr attr = {.mq_maxmsg = count, .mq_msgsize = size};

    snprintf(name, sizeof(name), "guest.%d", getpid());
    SYS(mq_unlink, name);
    return (int)REQUIRE_OK(SYS(mq_open, name, flags | O_CREAT | O_EXCL, 0600, &attr));
}

static void end(int q)
{
    EXPECT_OK(close(q));
    EXPECT_OK(SYS(mq_unlink, name));
}

static long put(int q, const char *text, unsigned int prio)
{
    return SYS(mq_timedsend, q, text, strlen(text), prio, NULL);
}

static const char *take(int q)
{
    static char text[9000];
    unsigned int prio;
    long n = SYS(mq_timedreceive, q, text, sizeof(text) - 8, &prio, NULL);

    snprintf(text + (n < 0 ? 0 : n), 8, n < 0 ? "?" : ":%u", prio);
    return text;
}

static struct mq_attr attr_of(int q)
{
    struct mq_attr attr;

    memset(&attr, 0xff, sizeof(attr));
    EXPECT_OK(SYS(mq_getsetattr, q, NULL, &attr));
    return attr;
}

TEST(open_close, "mq_open mq_unlink mq_open:ENOENT,EEXIST,EACCES,EINVAL,ENAMETOOLONG,EFAULT mq_unlink:ENOENT,EACCES,EFAULT")
{
    struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 32};
    char longest[300];
    int q, again;

    NEEDS(mq_open);
    q = opened(O_RDWR, 3, 32);
    EXPECT_EQ(fcntl(q, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
    again = (int)EXPECT_OK(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, NULL));
    EXPECT_OK(put(again, "one", 1));
    EXPECT_STREQ(take(q), "one:1");
    EXPECT_ERRNO(SYS(mq_open, name, 3, 0, NULL), EINVAL);
    close(again);
    EXPECT_OK(SYS(mq_unlink, name));
    EXPECT_ERRNO(SYS(mq_unlink, name), ENOENT);
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR, 0, NULL), ENOENT);
    /* It goes on without its name. */
    EXPECT_OK(put(q, "two", 0));
    EXPECT_STREQ(take(q), "two:0");
    close(q);
    EXPECT_ERRNO(SYS(mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    EXPECT_ERRNO(SYS(mq_open, "/a", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    EXPECT_ERRNO(SYS(mq_open, "..", O_RDWR, 0600, NULL), EACCES);
    EXPECT_ERRNO(SYS(mq_unlink, "/a"), EACCES);
    EXPECT_ERRNO(SYS(mq_open, "", O_RDWR | O_CREAT, 0600, NULL), ENOENT);
    memset(longest, 'x', sizeof(longest));
    longest[256] = 0;
    EXPECT_ERRNO(SYS(mq_open, longest, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(mq_open, (void *)8, O_RDWR, 0, NULL), EFAULT);
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(mq_unlink, (void *)8), EFAULT);
    attr.mq_maxmsg = 0;
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr.mq_maxmsg = 65537;
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 16777217};
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr.mq_msgsize = -1;
    EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    EXPECT_ERRNO(SYS(mq_unlink, name), ENOENT);
}

TEST(defaults, "mq_open mq_getsetattr")
{
    struct mq_attr attr;
    int q;

    NEEDS(mq_open);
    snprintf(name, sizeof(name), "guest.%d", getpid());
    q = (int)REQUIRE_OK(SYS(mq_open, name, O_RDONLY | O_CREAT, 0600, NULL));
    attr = attr_of(q);
    EXPECT_EQ(attr.mq_maxmsg, 10);
    EXPECT_EQ(attr.mq_msgsize, 8192);
    EXPECT_EQ(attr.mq_curmsgs, 0);
    EXPECT_EQ(attr.mq_flags, 0);
    end(q);
}

/* The highest priority first, in each of them the oldest. */
TEST(order, "mq_timedsend mq_timedreceive")
{
    char text[64];
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 6, 32);
    EXPECT_OK(put(q, "a", 1));
    EXPECT_OK(put(q, "b", 32767));
    EXPECT_OK(put(q, "c", 1));
    EXPECT_OK(put(q, "d", 0));
    EXPECT_OK(put(q, "", 2));
    EXPECT_OK(put(q, "e", 1));
    EXPECT_EQ(attr_of(q).mq_curmsgs, 6);
    EXPECT_STREQ(take(q), "b:32767");
    EXPECT_STREQ(take(q), ":2");
    EXPECT_STREQ(take(q), "a:1");
    EXPECT_STREQ(take(q), "c:1");
    EXPECT_STREQ(take(q), "e:1");
    EXPECT_EQ(SYS(mq_timedreceive, q, text, 32, NULL, NULL), 1);
    EXPECT_EQ(attr_of(q).mq_curmsgs, 0);
    end(q);
}

TEST(errors, "mq_timedsend:EBADF,EINVAL,EMSGSIZE,EFAULT,EAGAIN "
             "mq_timedreceive:EBADF,EINVAL,EMSGSIZE,EFAULT,EAGAIN mq_getsetattr:EBADF,EINVAL,EFAULT")
{
    struct timespec bad = {.tv_nsec = 1000000000}, past = {0};
    struct mq_attr attr = {.mq_flags = 1};
    char text[64];
    int q, r, w, plain;

    NEEDS(mq_open);
    q = opened(O_RDWR | O_NONBLOCK, 1, 16);
    r = (int)REQUIRE_OK(SYS(mq_open, name, O_RDONLY, 0, NULL));
    w = (int)REQUIRE_OK(SYS(mq_open, name, O_WRONLY, 0, NULL));
    plain = (int)REQUIRE_OK(open("/dev/null", O_RDWR));
    EXPECT_ERRNO(SYS(mq_timedsend, -1, "x", 1, 0, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedsend, plain, "x", 1, 0, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedsend, r, "x", 1, 0, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedsend, -1, "x", 1, 32768, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mq_timedsend, -1, "x", 1, 0, &bad), EINVAL);
    EXPECT_ERRNO(SYS(mq_timedsend, -1, "x", 1, 0, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(mq_timedsend, q, text, 17, 0, NULL), EMSGSIZE);
    EXPECT_ERRNO(SYS(mq_timedsend, q, (void *)8, 4, 0, NULL), EFAULT);
    EXPECT_ERRNO(SYS(mq_timedreceive, -1, text, 64, NULL, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedreceive, plain, text, 64, NULL, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedreceive, w, text, 64, NULL, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 15, NULL, NULL), EMSGSIZE);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, &bad), EINVAL);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, NULL), EAGAIN);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, &past), EAGAIN);
    EXPECT_OK(put(q, "full", 0));
    EXPECT_ERRNO(put(q, "more", 0), EAGAIN);
    /* A message that can't be handed over is gone all the same. */
    EXPECT_ERRNO(SYS(mq_timedreceive, q, (void *)8, 64, NULL, NULL), EFAULT);
    EXPECT_EQ(attr_of(q).mq_curmsgs, 0);
    EXPECT_ERRNO(SYS(mq_getsetattr, -1, NULL, NULL), EBADF);
    EXPECT_ERRNO(SYS(mq_getsetattr, plain, NULL, &attr), EBADF);
    EXPECT_ERRNO(SYS(mq_getsetattr, q, &attr, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mq_getsetattr, q, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(mq_getsetattr, q, NULL, (void *)8), EFAULT);
    close(r);
    close(w);
    close(plain);
    end(q);
}

TEST(attributes, "mq_getsetattr")
{
    struct mq_attr attr = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 77}, old;
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 2, 16);
    EXPECT_OK(SYS(mq_getsetattr, q, &attr, &old));
    EXPECT_EQ(old.mq_flags, 0);
    EXPECT_EQ(attr_of(q).mq_flags, O_NONBLOCK);
    EXPECT_EQ(attr_of(q).mq_maxmsg, 2);
    EXPECT(fcntl(q, F_GETFL) & O_NONBLOCK);
    EXPECT_STREQ(take(q), "?");
    EXPECT_OK(fcntl(q, F_SETFL, 0));
    EXPECT_EQ(attr_of(q).mq_flags, 0);
    end(q);
}

static struct timespec in_ms(long ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

TEST(timeouts, "mq_timedsend:ETIMEDOUT mq_timedreceive:ETIMEDOUT")
{
    struct timespec soon = in_ms(50), past = {0};
    int64_t start = guest_now_ns();
    char text[64];
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 1, 16);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, &soon), ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start, 40000000);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, &past), ETIMEDOUT);
    /* A time that has passed is no hindrance where nobody has to wait. */
    EXPECT_OK(SYS(mq_timedsend, q, "x", 1, 0, &past));
    soon = in_ms(50);
    EXPECT_ERRNO(SYS(mq_timedsend, q, "x", 1, 0, &soon), ETIMEDOUT);
    EXPECT_EQ(SYS(mq_timedreceive, q, text, 64, NULL, &past), 1);
    end(q);
}

TEST(waiting, "mq_timedsend mq_timedreceive")
{
    pid_t pid;
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 1, 16);
    IN_CHILD(pid)
    {
        EXPECT_STREQ(take(q), "first:3");
        for (int i = 0; i < 100; i++)
            EXPECT_STREQ(take(q), "again:0");
    }
    guest_sleep_ms(20);
    EXPECT_OK(put(q, "first", 3));
    for (int i = 0; i < 100; i++)
        EXPECT_OK(put(q, "again", 0));
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(attr_of(q).mq_curmsgs, 0);
    /* Who waits for room comes in with the next one that is taken, whatever its priority. */
    EXPECT_OK(put(q, "low", 1));
    IN_CHILD(pid)
    {
        EXPECT_OK(put(q, "high", 9));
    }
    guest_sleep_ms(30);
    EXPECT_STREQ(take(q), "low:1");
    EXPECT_STREQ(take(q), "high:9");
    EXPECT_CHILD_OK(pid);
    end(q);
}

TEST(interrupted, "mq_timedreceive:EINTR mq_timedsend:EINTR")
{
    char text[64];
    pid_t pest;
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 1, 16);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 5);
    EXPECT_ERRNO(SYS(mq_timedreceive, q, text, 64, NULL, NULL), EINTR);
    guest_end(pest);
    EXPECT_OK(put(q, "full", 0));
    pest = guest_pester(SIGUSR1, 5);
    EXPECT_ERRNO(put(q, "more", 0), EINTR);
    guest_end(pest);
    EXPECT_EQ(attr_of(q).mq_curmsgs, 1);
    end(q);
}

TEST(readiness, "poll epoll_wait mq_timedsend")
{
    struct pollfd p = {.events = POLLIN | POLLOUT};
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int q, ep;

    NEEDS(mq_open);
    q = opened(O_RDWR, 1, 16);
    p.fd = q;
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLOUT);
    ep = (int)REQUIRE_OK(epoll_create1(0));
    REQUIRE_OK(epoll_ctl(ep, EPOLL_CTL_ADD, q, &ev));
    EXPECT_EQ(epoll_wait(ep, &ev, 1, 0), 0);
    EXPECT_OK(put(q, "x", 0));
    EXPECT_EQ(epoll_wait(ep, &ev, 1, 1000), 1);
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLIN);
    EXPECT_STREQ(take(q), "x:0");
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLOUT);
    close(ep);
    end(q);
}

static volatile siginfo_t told;

static void tell(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    *(siginfo_t *)&told = *info;
    guest_signals++;
}

TEST(notification, "mq_notify mq_notify:EBUSY,EBADF,EINVAL,EFAULT")
{
    struct sigaction sa = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    char text[128];
    pid_t pid;
    int q, again;

    NEEDS(mq_open);
    ev.sigev_value.sival_int = 4711;
    q = opened(O_RDWR, 3, 16);
    REQUIRE_OK(sigaction(SIGUSR2, &sa, NULL));
    EXPECT_ERRNO(SYS(mq_notify, -1, &ev), EBADF);
    EXPECT_ERRNO(SYS(mq_notify, 0, &ev), EBADF);
    EXPECT_ERRNO(SYS(mq_notify, q, (void *)8), EFAULT);
    ev.sigev_signo = 65;
    EXPECT_ERRNO(SYS(mq_notify, q, &ev), EINVAL);
    ev.sigev_signo = SIGUSR2;
    ev.sigev_notify = 77;
    EXPECT_ERRNO(SYS(mq_notify, q, &ev), EINVAL);
    ev.sigev_notify = SIGEV_SIGNAL;
    EXPECT_OK(SYS(mq_notify, q, NULL));
    EXPECT_OK(SYS(mq_notify, q, &ev));
    EXPECT_ERRNO(SYS(mq_notify, q, &ev), EBUSY);
    IN_CHILD(pid)
    {
        EXPECT_ERRNO(SYS(mq_notify, q, &ev), EBUSY);
        /* It is not this one's to take away. */
        EXPECT_OK(SYS(mq_notify, q, NULL));
        EXPECT_OK(put(q, "x", 0));
        EXPECT_OK(put(q, "y", 0));
    }
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(guest_signals);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_EQ(told.si_code, SI_MESGQ);
    EXPECT_EQ(told.si_value.sival_int, 4711);
    EXPECT_EQ(told.si_pid, pid);
    EXPECT_EQ(told.si_uid, getuid());
    /* Once, and only when a message comes to an empty queue. */
    EXPECT_OK(SYS(mq_notify, q, &ev));
    EXPECT_OK(put(q, "z", 0));
    EXPECT_EQ(guest_signals, 1);
    EXPECT_STREQ(take(q), "x:0");
    EXPECT_STREQ(take(q), "y:0");
    EXPECT_STREQ(take(q), "z:0");
    EXPECT_EQ(read(q, text, sizeof(text)), 60);
    snprintf(text + 100, 28, "NOTIFY_PID:%d ", getpid());
    EXPECT(strstr(text, text + 100));
    EXPECT(strstr(text, "QSIZE:0          NOTIFY:0     SIGNO:12    "));
    /* A receiver that waits is told by the message itself. */
    IN_CHILD(pid)
    {
        EXPECT_STREQ(take(q), "direct:0");
    }
    guest_sleep_ms(50);
    EXPECT_OK(put(q, "direct", 0));
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(guest_signals, 1);
    /* A descriptor that is closed takes it away. */
    again = (int)REQUIRE_OK(dup(q));
    close(again);
    EXPECT_OK(SYS(mq_notify, q, &none));
    EXPECT_OK(put(q, "silent", 0));
    EXPECT_OK(SYS(mq_notify, q, &none));
    EXPECT_OK(SYS(mq_notify, q, NULL));
    EXPECT_EQ(guest_signals, 1);
    end(q);
}

/* The file as others see it: text, size, rights, name. */
TEST(file, "read lseek fstat mq_open:EACCES")
{
    char text[200], path[64];
    struct stat st;
    pid_t pid;
    int q;

    NEEDS(mq_open);
    q = opened(O_RDWR, 3, 16);
    EXPECT_OK(put(q, "12345", 0));
    EXPECT_OK(put(q, "678", 0));
    EXPECT_EQ(read(q, text, sizeof(text)), 60);
    EXPECT(strncmp(text, "QSIZE:8          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     ", 59) == 0);
    EXPECT_EQ(read(q, text, sizeof(text)), 0);
    EXPECT_EQ(lseek(q, 0, SEEK_SET), 0);
    EXPECT_EQ(read(q, text, 7), 7);
    EXPECT_ERRNO(write(q, "x", 1), EINVAL);
    EXPECT_OK(fstat(q, &st));
    EXPECT_EQ(st.st_size, 80);
    EXPECT_EQ(st.st_mode, S_IFREG | 0600);
    EXPECT_EQ(st.st_nlink, 1);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", q);
    EXPECT_GT(readlink(path, text, sizeof(text)), 0);
    EXPECT_EQ(text[0], '/');
    EXPECT(strncmp(text + 1, name, strlen(name)) == 0);
    if (geteuid() == 0 && guest_has_cap(CAP_SETUID)) {
        IN_CHILD(pid)
        {
            REQUIRE_OK(setresuid(1234, 1234, 1234));
            EXPECT_ERRNO(SYS(mq_open, name, O_RDONLY, 0, NULL), EACCES);
            EXPECT_ERRNO(SYS(mq_open, name, O_RDONLY | O_CREAT, 0600, NULL), EACCES);
            EXPECT_ERRNO(SYS(mq_unlink, name), EPERM);
        }
        EXPECT_CHILD_OK(pid);
    }
    end(q);
    /* Its maker may use it at once, whatever its mode; the umask counts. */
    umask(077);
    q = (int)REQUIRE_OK(SYS(mq_open, name, O_RDWR | O_CREAT, 0644, NULL));
    EXPECT_OK(fstat(q, &st));
    EXPECT_EQ(st.st_mode & 07777, 0600);
    end(q);
}

TEST(limit, "mq_open:EMFILE")
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 1000};
    struct rlimit small = {20000, 20000};
    pid_t pid;

    NEEDS(mq_open);
    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID))
        SKIP("needs a user of its own");
    snprintf(name, sizeof(name), "guest.%d", getpid());
    IN_CHILD(pid)
    {
        int q;

        REQUIRE_OK(setrlimit(RLIMIT_MSGQUEUE, &small));
        REQUIRE_OK(setresuid(54321, 54321, 54321));
        q = (int)REQUIRE_OK(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr));
        EXPECT_ERRNO(SYS(mq_open, "guest.other", O_RDWR | O_CREAT, 0600, &attr), EMFILE);
        EXPECT_OK(SYS(mq_unlink, name));
        /* As long as it is open it counts. */
        EXPECT_ERRNO(SYS(mq_open, "guest.other", O_RDWR | O_CREAT, 0600, &attr), EMFILE);
        close(q);
        q = (int)REQUIRE_OK(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr));
        end(q);
        attr.mq_maxmsg = 11;
        EXPECT_ERRNO(SYS(mq_open, name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

static void own_namespace(void)
{
    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("needs CAP_SYS_ADMIN");
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        SKIP("no namespaces of one's own here");
}

TEST(file_system, "mount mq_open unlink open")
{
    struct statfs fs;
    struct stat st;
    char text[128];
    int q, fd;

    NEEDS(mq_open);
    own_namespace();
    guest_scratch();
    REQUIRE_OK(mkdir("a", 0755));
    REQUIRE_OK(mkdir("b", 0755));
    REQUIRE_OK(SYS(mount, "none", "a", "mqueue", 0, NULL));
    REQUIRE_OK(SYS(mount, "none", "b", "mqueue", 0, NULL));
    EXPECT_OK(statfs("a", &fs));
    EXPECT_EQ(fs.f_type, 0x19800202);
    EXPECT_OK(stat("a", &st));
    EXPECT_EQ(st.st_mode, S_IFDIR | 01777);
    q = (int)REQUIRE_OK(SYS(mq_open, "q", O_RDWR | O_CREAT, 0640, NULL));
    EXPECT_OK(put(q, "abc", 0));
    EXPECT_OK(stat("b/q", &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0640);
    fd = (int)REQUIRE_OK(open("a/q", O_RDONLY));
    EXPECT_EQ(read(fd, text, sizeof(text)), 60);
    EXPECT(strncmp(text, "QSIZE:3 ", 8) == 0);
    EXPECT_STREQ(take(fd), "abc:0");
    close(fd);
    EXPECT_OK(unlink("a/q"));
    EXPECT_ERRNO(SYS(mq_open, "q", O_RDWR, 0, NULL), ENOENT);
    EXPECT_ERRNO(mkdir("a/d", 0755), EPERM);
    EXPECT_ERRNO(SYS(mknod, "a/fifo", S_IFIFO | 0600, 0), EPERM);
    EXPECT_ERRNO(symlink("x", "a/l"), EPERM);
    fd = (int)REQUIRE_OK(open("a/made", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(attr_of(fd).mq_maxmsg, 10);
    EXPECT_ERRNO(link("a/made", "a/again"), EPERM);
    EXPECT_ERRNO(rename("a/made", "a/other"), EPERM);
    close(fd);
    close(q);
    /* Another namespace has others. */
    REQUIRE_OK(unshare(CLONE_NEWIPC));
    EXPECT_ERRNO(SYS(mq_open, "made", O_RDWR, 0, NULL), ENOENT);
    EXPECT_OK(access("a/made", F_OK));
    EXPECT_OK(unlink("a/made"));
    EXPECT_OK(SYS(umount2, "a", 0));
    EXPECT_OK(SYS(umount2, "b", 0));
}

static long number_in(const char *path)
{
    char text[32];

    if (guest_slurp(path, text, sizeof(text)) <= 0)
        return -1;
    return strtol(text, NULL, 10);
}

static long set_number(const char *path, const char *text)
{
    int fd = (int)REQUIRE_OK(open(path, O_WRONLY));
    long n = write(fd, text, strlen(text));
    int error = errno;

    close(fd);
    errno = error;
    return n;
}

#define SYSCTL "/proc/sys/fs/mqueue/"

TEST(sysctl, "mq_open:ENOSPC mq_open:EINVAL open write")
{
    struct mq_attr attr = {.mq_maxmsg = 5, .mq_msgsize = 128};
    pid_t pid;
    int q;

    NEEDS(mq_open);
    own_namespace();
    EXPECT_EQ(number_in(SYSCTL "queues_max"), 256);
    EXPECT_EQ(number_in(SYSCTL "msg_max"), 10);
    EXPECT_EQ(number_in(SYSCTL "msgsize_max"), 8192);
    EXPECT_EQ(number_in(SYSCTL "msg_default"), 10);
    EXPECT_EQ(number_in(SYSCTL "msgsize_default"), 8192);
    if (access(SYSCTL "msg_max", W_OK) < 0)
        SKIP("limits can't be changed here");
    EXPECT_OK(set_number(SYSCTL "msg_default", "3"));
    EXPECT_OK(set_number(SYSCTL "msgsize_default", "256\n"));
    EXPECT_ERRNO(set_number(SYSCTL "msg_max", "65537"), EINVAL);
    EXPECT_ERRNO(set_number(SYSCTL "msg_max", "0"), EINVAL);
    EXPECT_ERRNO(set_number(SYSCTL "msgsize_max", "127"), EINVAL);
    EXPECT_OK(set_number(SYSCTL "msg_max", "4"));
    q = (int)REQUIRE_OK(SYS(mq_open, "q", O_RDWR | O_CREAT, 0600, NULL));
    EXPECT_EQ(attr_of(q).mq_maxmsg, 3);
    EXPECT_EQ(attr_of(q).mq_msgsize, 256);
    IN_CHILD(pid)
    {
        REQUIRE_OK(setresuid(1234, 1234, 1234));
        EXPECT_ERRNO(SYS(mq_open, "r", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(set_number(SYSCTL "queues_max", "1"));
    IN_CHILD(pid)
    {
        REQUIRE_OK(setresuid(1234, 1234, 1234));
        EXPECT_ERRNO(SYS(mq_open, "r", O_RDWR | O_CREAT, 0600, NULL), ENOSPC);
    }
    EXPECT_CHILD_OK(pid);
    close(q);
    EXPECT_OK(SYS(mq_unlink, "q"));
}
