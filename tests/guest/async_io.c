/* Signal-driven I/O: O_ASYNC, who is signalled and with what (fcntl(2), "Managing signals"). */
#include "tests/guest/pty.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef F_SETSIG
#define F_SETSIG 10
#define F_GETSIG 11
#endif
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#endif
enum { OWNER_TID, OWNER_PID, OWNER_PGRP };
enum { IN = 1, OUT, MSG, ERR, PRI, HUP }; /* POLL_IN … */
enum { CAP_SETUID = 7, CAP_KILL = 5 };
#define ANY_SIGNAL 40

struct owner {
    int type, pid;
};

static volatile int count, last_signo, last_code, last_fd;
static volatile long last_band;
static volatile pid_t last_tid;

static void on_async(int signo, siginfo_t *info, void *context)
{
    (void)context;
    last_signo = signo;
    last_code = info->si_code;
    last_fd = info->si_fd;
    last_band = info->si_band;
    last_tid = (pid_t)SYS(gettid);
    count++;
}

static void catch(int signo)
{
    struct sigaction sa = {.sa_sigaction = on_async, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigaction(signo, &sa, NULL);
    count = 0;
}

/* make_async() - fd sends us signo (0: SIGIO without more) from now on. */
static void make_async(int fd, int signo)
{
    catch(signo ? signo : SIGIO);
    EXPECT_OK(SYS(fcntl, fd, F_SETOWN, getpid()));
    EXPECT_OK(SYS(fcntl, fd, F_SETSIG, signo));
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_NONBLOCK | O_ASYNC));
    count = 0;
}

/* expect_told() - one signal or more have come about fd, the last with this code. */
#define expect_told(fd, code, band)                                                                \
    do {                                                                                           \
        WAIT_UNTIL(count > 0);                                                                     \
        EXPECT_EQ(last_code, code);                                                                \
        EXPECT_EQ(last_fd, fd);                                                                    \
        EXPECT_EQ(last_band, band);                                                                \
        count = 0;                                                                                 \
    } while (0)

#define BAND_IN  (POLLIN | POLLRDNORM)
#define BAND_OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

TEST(owner_values, "fcntl fcntl:ESRCH,EINVAL,EFAULT,EBADF")
{
    struct owner o = {9, 9};
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), 0);
    EXPECT_OK(SYS(fcntl, fds[0], F_GETOWN_EX, &o));
    EXPECT_EQ(o.type, OWNER_TID);
    EXPECT_EQ(o.pid, 0);
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETSIG), 0);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, getpid()));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), getpid());
    EXPECT_OK(SYS(fcntl, fds[0], F_GETOWN_EX, &o));
    EXPECT_EQ(o.type, OWNER_PID);
    EXPECT_EQ(o.pid, getpid());
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, -getpgrp()));
    EXPECT_OK(SYS(fcntl, fds[0], F_GETOWN_EX, &o));
    EXPECT_EQ(o.type, OWNER_PGRP);
    EXPECT_EQ(o.pid, getpgrp());
    o = (struct owner){OWNER_TID, (int)gettid()};
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN_EX, &o));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), SYS(gettid));
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, 0));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), 0);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN, 0x7ffffff0), ESRCH);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN, -0x7ffffff0), ESRCH);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN, (int)0x80000000), EINVAL);
    o = (struct owner){OWNER_PID, 0x7ffffff0};
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN_EX, &o), ESRCH);
    o = (struct owner){OWNER_PID, -1};
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN_EX, &o), ESRCH);
    o = (struct owner){3, getpid()};
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN_EX, &o), EINVAL);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETOWN_EX, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_GETOWN_EX, guest_bad_page()), EFAULT);
    EXPECT_ERRNO(SYS(fcntl, 999, F_SETOWN, 0), EBADF);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETSIG, 64));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETSIG), 64);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETSIG, 65), EINVAL);
    EXPECT_ERRNO(SYS(fcntl, fds[0], F_SETSIG, -1), EINVAL);
}

TEST(owner_that_ended, "fcntl")
{
    struct owner o;
    int fds[2];
    pid_t pid;

    REQUIRE_OK(SYS(pipe2, fds, 0));
    IN_CHILD(pid)
    {
        SYS(pause);
    }
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, pid));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), pid);
    guest_end(pid);
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETOWN), 0);
    EXPECT_OK(SYS(fcntl, fds[0], F_GETOWN_EX, &o));
    EXPECT_EQ(o.type, OWNER_PID);
    EXPECT_EQ(o.pid, 0);
}

TEST(flag_where_it_works, "fcntl ioctl ioctl:ENOTTY")
{
    int on = 1, off = 0, fds[2], fd;

    guest_scratch();
    REQUIRE_OK(SYS(pipe2, fds, 0));
    EXPECT_OK(SYS(ioctl, fds[0], FIOASYNC, &on));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
    EXPECT_OK(SYS(ioctl, fds[0], FIOASYNC, &on));
    EXPECT_OK(SYS(ioctl, fds[0], FIOASYNC, &off));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETFL) & O_ASYNC, 0);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, O_ASYNC));
    EXPECT_EQ(SYS(fcntl, fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
    fd = (int)REQUIRE_OK(SYS(eventfd2, 0, 0));
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_ASYNC));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & O_ASYNC, 0);
    EXPECT_ERRNO(SYS(ioctl, fd, FIOASYNC, &on), ENOTTY);
    EXPECT_OK(SYS(ioctl, fd, FIOASYNC, &off));
    fd = (int)REQUIRE_OK(SYS(open, "file", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_ASYNC));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & O_ASYNC, 0);
    EXPECT_ERRNO(SYS(ioctl, fd, FIOASYNC, &on), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, fd, FIOASYNC, guest_bad_page()), EFAULT);
}

TEST(plain_sigio, "fcntl")
{
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], 0);
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    EXPECT_EQ(count, 1); /* before write has returned */
    EXPECT_EQ(last_signo, SIGIO);
    EXPECT_EQ(last_code, SI_KERNEL);
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    EXPECT_EQ(count, 2);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, 0));
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    EXPECT_EQ(count, 2);
}

TEST(pipe_both_ends, "fcntl")
{
    char buf[8];
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], SIGIO);
    EXPECT_EQ(SYS(write, fds[1], "xyz", 3), 3);
    expect_told(fds[0], IN, BAND_IN);
    EXPECT_EQ(SYS(read, fds[0], buf, 1), 1);
    EXPECT_EQ(count, 0);
    make_async(fds[1], ANY_SIGNAL);
    EXPECT_EQ(SYS(read, fds[0], buf, 1), 1);
    expect_told(fds[1], OUT, BAND_OUT);
    SYS(close, fds[0]);
    expect_told(fds[1], OUT, BAND_OUT);
}

TEST(pipe_end_of_file, "fcntl close")
{
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], SIGIO);
    SYS(close, fds[1]);
    expect_told(fds[0], IN, BAND_IN);
}

TEST(descriptor_that_set_it, "fcntl dup")
{
    int fds[2], other;

    REQUIRE_OK(SYS(pipe2, fds, 0));
    other = (int)REQUIRE_OK(SYS(dup, fds[0]));
    make_async(other, ANY_SIGNAL);
    SYS(close, other);
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    expect_told(other, IN, BAND_IN);
}

TEST(codes_of_other_signals, "fcntl")
{
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], SIGCHLD);
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    expect_told(fds[0], SI_SIGIO, BAND_IN);
    make_async(fds[0], SIGUSR1);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, 0));
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, O_ASYNC));
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    expect_told(fds[0], IN, BAND_IN);
}

TEST(fifo, "fcntl open")
{
    int in, out;

    guest_scratch();
    REQUIRE_OK(SYS(mknod, "fifo", S_IFIFO | 0600, 0));
    in = (int)REQUIRE_OK(SYS(open, "fifo", O_RDONLY | O_NONBLOCK));
    out = (int)REQUIRE_OK(SYS(open, "fifo", O_WRONLY));
    make_async(in, SIGIO);
    EXPECT_EQ(SYS(write, out, "x", 1), 1);
    expect_told(in, IN, BAND_IN);
    SYS(close, out);
    expect_told(in, IN, BAND_IN);
}

TEST(writer_that_waits, "write fcntl")
{
    static char big[300000];
    int fds[2], n = 0;
    pid_t pid;

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], 0);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    IN_CHILD(pid)
    {
        EXPECT_EQ(SYS(write, fds[1], big, sizeof(big)), sizeof(big));
    }
    while (n < (int)sizeof(big)) {
        long got;

        WAIT_UNTIL(count > 0); /* each piece is announced while the rest waits for room */
        count = 0;
        while ((got = SYS(read, fds[0], big, sizeof(big))) > 0)
            n += (int)got;
    }
    EXPECT_CHILD_OK(pid);
}

TEST(unix_stream, "fcntl socketpair")
{
    int s[2];

    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    make_async(s[0], SIGIO);
    EXPECT_EQ(SYS(write, s[1], "x", 1), 1);
    expect_told(s[0], IN, BAND_IN);
    EXPECT_EQ(SYS(write, s[0], "x", 1), 1);
    EXPECT_EQ(count, 0);
    SYS(close, s[1]);
    expect_told(s[0], HUP, POLLHUP | POLLERR);
}

TEST(unix_room, "fcntl socketpair write")
{
    static char buf[100000];
    int s[2];

    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    make_async(s[0], SIGIO);
    EXPECT_EQ(SYS(write, s[0], "x", 1), 1);
    EXPECT_EQ(SYS(read, s[1], buf, sizeof(buf)), 1);
    EXPECT_EQ(count, 0); /* there was room all the time */
    while (SYS(write, s[0], buf, sizeof(buf)) > 0)
        ;
    EXPECT_EQ(count, 0);
    EXPECT_OK(SYS(fcntl, s[1], F_SETFL, O_NONBLOCK));
    while (SYS(read, s[1], buf, sizeof(buf)) > 0)
        ;
    expect_told(s[0], OUT, BAND_OUT);
}

TEST(unix_datagram, "fcntl socketpair")
{
    int s[2];

    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_DGRAM, 0, s));
    make_async(s[0], ANY_SIGNAL);
    EXPECT_EQ(SYS(write, s[1], "x", 1), 1);
    EXPECT_EQ(SYS(write, s[1], "y", 1), 1);
    expect_told(s[0], IN, BAND_IN);
}

/* tcp_pair() - connected over loopback. Return: the listener. */
static int tcp_pair(int *client, int *server)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int len = sizeof(in), listener = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));

    REQUIRE_OK(SYS(bind, listener, &in, sizeof(in)));
    REQUIRE_OK(SYS(listen, listener, 5));
    REQUIRE_OK(SYS(getsockname, listener, &in, &len));
    *client = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(connect, *client, &in, sizeof(in)));
    *server = (int)REQUIRE_OK(SYS(accept, listener, NULL, NULL));
    return listener;
}

TEST(tcp, "fcntl")
{
    int client, server, listener = tcp_pair(&client, &server);
    struct sockaddr_in in;
    int len = sizeof(in);

    make_async(server, SIGIO);
    EXPECT_EQ(SYS(write, client, "x", 1), 1);
    expect_told(server, IN, BAND_IN);
    EXPECT_OK(SYS(shutdown, client, SHUT_WR));
    expect_told(server, IN, BAND_IN);
    REQUIRE_OK(SYS(getsockname, listener, &in, &len));
    make_async(listener, SIGIO);
    client = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(connect, client, &in, sizeof(in)));
    WAIT_UNTIL(count > 0);
    EXPECT_EQ(last_fd, listener);
}

TEST(tcp_connected, "fcntl connect")
{
    int client, server, listener = tcp_pair(&client, &server);
    struct sockaddr_in in;
    int len = sizeof(in);

    REQUIRE_OK(SYS(getsockname, listener, &in, &len));
    client = (int)REQUIRE_OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
    make_async(client, SIGIO);
    if (SYS(connect, client, &in, sizeof(in)) < 0)
        EXPECT_EQ(errno, EINPROGRESS);
    expect_told(client, OUT, BAND_OUT);
}

TEST(urgent, "fcntl sendto")
{
    int client, server;

    tcp_pair(&client, &server);
    catch(SIGURG);
    EXPECT_OK(SYS(fcntl, server, F_SETOWN, getpid()));
    EXPECT_EQ(SYS(sendto, client, "x", 1, MSG_OOB, NULL, 0), 1);
    WAIT_UNTIL(count > 0); /* O_ASYNC or not */
    EXPECT_EQ(last_signo, SIGURG);
    EXPECT_EQ(last_code, SI_KERNEL);
    make_async(server, ANY_SIGNAL);
    EXPECT_EQ(SYS(sendto, client, "y", 1, MSG_OOB, NULL, 0), 1);
    WAIT_UNTIL(count > 1);
}

TEST(urgent_without_owner, "sendto")
{
    int client, server;
    char c;

    tcp_pair(&client, &server);
    catch(SIGURG);
    EXPECT_EQ(SYS(sendto, client, "x", 1, MSG_OOB, NULL, 0), 1);
    EXPECT_EQ(SYS(sendto, client, "z", 1, 0, NULL, 0), 1);
    EXPECT_EQ(SYS(read, server, &c, 1), 1);
    EXPECT_EQ(count, 0);
}

TEST(socket_ioctls, "ioctl ioctl:ESRCH")
{
    int s[2], pid = getpid(), got = -1;

    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_OK(SYS(ioctl, s[0], FIOSETOWN, &pid));
    EXPECT_EQ(SYS(fcntl, s[0], F_GETOWN), pid);
    EXPECT_OK(SYS(ioctl, s[0], SIOCGPGRP, &got));
    EXPECT_EQ(got, pid);
    pid = -getpgrp();
    EXPECT_OK(SYS(ioctl, s[0], SIOCSPGRP, &pid));
    EXPECT_OK(SYS(ioctl, s[0], FIOGETOWN, &got));
    EXPECT_EQ(got, pid);
    pid = 0x7ffffff0;
    EXPECT_ERRNO(SYS(ioctl, s[0], SIOCSPGRP, &pid), ESRCH);
}

TEST(terminal, "fcntl")
{
    struct owner o;

    open_pair();
    catch(SIGIO);
    EXPECT_OK(SYS(fcntl, slave, F_SETFL, O_RDWR | O_ASYNC | O_NONBLOCK));
    EXPECT_EQ(SYS(fcntl, slave, F_GETOWN), getpid()); /* a terminal has one at once */
    EXPECT_OK(SYS(fcntl, slave, F_GETOWN_EX, &o));
    EXPECT_EQ(o.type, OWNER_PID);
    EXPECT_OK(SYS(fcntl, slave, F_SETSIG, SIGIO));
    count = 0;
    EXPECT_EQ(SYS(write, master, "half", 4), 4);
    guest_sleep_ms(50);
    EXPECT_EQ(count, 0); /* no line yet */
    EXPECT_EQ(SYS(write, master, "\n", 1), 1);
    expect_told(slave, IN, BAND_IN);
}

TEST(terminal_of_a_session, "fcntl setsid")
{
    struct owner o;
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(setsid));
        REQUIRE_OK(SYS(ioctl, slave, TIOCSCTTY, 0));
        EXPECT_OK(SYS(fcntl, slave, F_SETFL, O_RDWR | O_ASYNC));
        EXPECT_OK(SYS(fcntl, slave, F_GETOWN_EX, &o));
        EXPECT_EQ(o.type, OWNER_PGRP); /* the foreground */
        EXPECT_EQ(o.pid, getpid());
    }
    EXPECT_CHILD_OK(pid);
}

TEST(inotify, "fcntl inotify_init1")
{
    int fd = (int)REQUIRE_OK(SYS(inotify_init1, IN_NONBLOCK));

    guest_scratch();
    EXPECT_OK(SYS(inotify_add_watch, fd, ".", IN_CREATE));
    make_async(fd, SIGIO);
    guest_make_file("file", "");
    expect_told(fd, IN, BAND_IN);
}

TEST(to_a_group, "fcntl")
{
    int fds[2], *told = guest_shared(4096);
    pid_t pid;

    REQUIRE_OK(SYS(pipe2, fds, 0));
    SYS(setpgid, 0, 0);
    catch(SIGIO);
    IN_CHILD(pid)
    {
        told[0] = 1;
        WAIT_UNTIL(count > 0);
        told[1] = 1;
    }
    WAIT_UNTIL(*(volatile int *)told);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, -getpgrp()));
    EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, O_ASYNC));
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    WAIT_UNTIL(count > 0);
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(told[1], 1);
}

static int thread_pipe[2];
static volatile int thread_state;
static pid_t thread_tid;

static void *waiting_thread(void *arg)
{
    (void)arg;
    thread_tid = (pid_t)SYS(gettid);
    thread_state = 1;
    while (thread_state != 2)
        SYS(sched_yield);
    return NULL;
}

TEST(to_a_thread, "fcntl")
{
    pthread_t th;
    struct owner o;

    REQUIRE_OK(SYS(pipe2, thread_pipe, 0));
    catch(ANY_SIGNAL);
    pthread_create(&th, NULL, waiting_thread, NULL);
    WAIT_UNTIL(thread_state == 1);
    o = (struct owner){OWNER_TID, thread_tid};
    EXPECT_OK(SYS(fcntl, thread_pipe[0], F_SETOWN_EX, &o));
    EXPECT_OK(SYS(fcntl, thread_pipe[0], F_SETSIG, ANY_SIGNAL));
    EXPECT_OK(SYS(fcntl, thread_pipe[0], F_SETFL, O_ASYNC));
    for (int i = 1; i <= 5; i++) {
        EXPECT_EQ(SYS(write, thread_pipe[1], "x", 1), 1);
        WAIT_UNTIL(count == i);
        EXPECT_EQ(last_tid, thread_tid);
    }
    thread_state = 2;
    pthread_join(th, NULL);
}

TEST(full_queue_gives_sigio, "fcntl")
{
    struct rlimit {
        uint64_t cur, max;
    } none = {0, 0};
    int fds[2];

    REQUIRE_OK(SYS(pipe2, fds, 0));
    make_async(fds[0], ANY_SIGNAL);
    catch(SIGIO);
    EXPECT_OK(SYS(prlimit64, 0, 11 /* RLIMIT_SIGPENDING */, &none, NULL));
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    WAIT_UNTIL(count > 0);
    EXPECT_EQ(last_signo, SIGIO);
}

/* An owner that the setter could not kill hears nothing. */
TEST(owner_of_another_user, "fcntl")
{
    int fds[2], *told = guest_shared(4096);
    pid_t pid, setter;

    if (!guest_has_cap(CAP_SETUID))
        SKIP("setresuid needs CAP_SETUID");
    REQUIRE_OK(SYS(pipe2, fds, 0));
    catch(SIGIO);
    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(setresuid, 1001, 1001, 1001));
        told[0] = 1;
        WAIT_UNTIL(*(volatile int *)(told + 1));
        EXPECT_EQ(count, 0);
        told[0] = 2;
        WAIT_UNTIL(count > 0);
    }
    WAIT_UNTIL(*(volatile int *)told == 1);
    IN_CHILD(setter)
    {
        EXPECT_OK(SYS(setresuid, 1002, 1002, 1002));
        EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, pid));
        EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, O_ASYNC));
    }
    EXPECT_CHILD_OK(setter);
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    told[1] = 1;
    WAIT_UNTIL(*(volatile int *)told == 2);
    EXPECT_OK(SYS(fcntl, fds[0], F_SETOWN, pid)); /* now root's */
    EXPECT_EQ(SYS(write, fds[1], "x", 1), 1);
    EXPECT_CHILD_OK(pid);
}

static volatile int closing;

static void *opens_and_closes(void *arg)
{
    while (!closing) {
        int fds[2];

        if (SYS(pipe2, fds, 0) < 0)
            continue;
        SYS(fcntl, fds[0], F_SETOWN, getpid());
        SYS(fcntl, fds[0], F_SETFL, O_ASYNC | O_NONBLOCK);
        SYS(write, fds[1], "x", 1);
        SYS(fcntl, fds[0], F_SETFL, O_NONBLOCK);
        SYS(close, fds[(uintptr_t)arg & 1]);
        SYS(close, fds[~(uintptr_t)arg & 1]);
    }
    return NULL;
}

TEST(race_with_close, "fcntl close")
{
    pthread_t th[3];
    int fds[2];

    catch(SIGIO);
    REQUIRE_OK(SYS(pipe2, fds, 0));
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&th[i], NULL, opens_and_closes, (void *)i);
    for (int i = 0; i < 3000; i++) {
        EXPECT_OK(SYS(fcntl, fds[0], F_SETFL, i & 1 ? O_ASYNC | O_NONBLOCK : O_NONBLOCK));
        SYS(write, fds[1], "x", 1);
        if (i % 50 == 0)
            SYS(fcntl, fds[0], F_SETOWN, i & 64 ? getpid() : -getpgrp());
        if (i % 300 == 0) {
            SYS(close, fds[0]);
            SYS(close, fds[1]);
            REQUIRE_OK(SYS(pipe2, fds, O_NONBLOCK));
        }
    }
    closing = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(th[i], NULL);
    EXPECT_GT(count, 0);
}
