/*
 * Control messages of AF_UNIX: files and credentials on their way, limits, truncation, cycles.
 */
#include "sockets.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

static int a, b;

static void pair(int type)
{
    unix_pair(type, &a, &b);
}

/* A message with room for control data. */
struct message {
    struct msghdr h;
    struct iovec v;
    char data[64];
    union {
        char control[4096];
        struct cmsghdr align;
    };
};

static void message(struct message *m, size_t bytes, size_t control)
{
    memset(m, 0, sizeof(*m));
    m->v = (struct iovec){m->data, bytes};
    m->h = (struct msghdr){.msg_iov = &m->v, .msg_iovlen = 1};
    if (control) {
        m->h.msg_control = m->control;
        m->h.msg_controllen = control;
    }
}

/* put() - append one control message */
static void put(struct message *m, int type, const void *data, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)(m->control + m->h.msg_controllen);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    m->h.msg_control = m->control;
    m->h.msg_controllen += CMSG_SPACE(len);
}

static long send_fds(int to, const char *text, const int *fds, size_t n)
{
    struct message m;

    message(&m, strlen(text), 0);
    memcpy(m.data, text, strlen(text));
    put(&m, SCM_RIGHTS, fds, n * sizeof(int));
    return SYS(sendmsg, to, &m.h, MSG_DONTWAIT);
}

/* got_fds() - the descriptors of a received message. Return: how many */
static size_t got_fds(struct message *m, int *fds)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(&m->h);

    while (c && (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS))
        c = CMSG_NXTHDR(&m->h, c);
    if (!c)
        return 0;
    memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static long receive(int from, struct message *m, size_t bytes, size_t control, int flags)
{
    message(m, bytes, control);
    return SYS(recvmsg, from, &m->h, flags);
}

static bool same_file(int x, int y)
{
    struct stat s, t;

    return fstat(x, &s) == 0 && fstat(y, &t) == 0 && s.st_ino == t.st_ino && s.st_dev == t.st_dev;
}

static int open_count(void)
{
    int n = 0;

    for (int fd = 0; fd < 300; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

TEST(pass_a_file, "sendmsg recvmsg")
{
    int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}, ends[2], fd = -1;
    struct message m;
    char c;

    for (int i = 0; i < 3; i++) {
        pair(types[i]);
        REQUIRE_OK(SYS(pipe, ends));
        EXPECT_EQ(send_fds(a, "x", ends, 1), 1);
        close(ends[0]);
        EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
        EXPECT_EQ(m.h.msg_controllen, CMSG_SPACE(sizeof(int)));
        EXPECT_EQ(m.h.msg_flags, 0);
        EXPECT_EQ(got_fds(&m, &fd), 1);
        EXPECT_EQ(fcntl(fd, F_GETFD), 0);
        EXPECT_EQ(SYS(write, ends[1], "p", 1), 1);
        EXPECT_EQ(SYS(read, fd, &c, 1), 1);
        close(ends[1]);
        close(fd);
    }
}

TEST(close_on_exec, "recvmsg")
{
    struct message m;
    int fd = -1;

    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "x", &a, 1), 1);
    EXPECT_EQ(receive(b, &m, 8, 200, MSG_CMSG_CLOEXEC), 1);
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT(same_file(fd, a));
}

TEST(many_files, "sendmsg recvmsg sendmsg:EINVAL")
{
    int fds[254], got[254];
    struct message m;

    for (int i = 0; i < 254; i++)
        fds[i] = 1;
    pair(SOCK_STREAM);
    EXPECT_ERRNO(send_fds(a, "x", fds, 254), EINVAL);
    EXPECT_EQ(send_fds(a, "x", fds, 253), 1);
    EXPECT_EQ(receive(b, &m, 8, sizeof(m.control), 0), 1);
    EXPECT_EQ(got_fds(&m, got), 253);
    EXPECT(same_file(got[252], 1));
    message(&m, 1, 0);
    put(&m, SCM_RIGHTS, fds, 200 * sizeof(int));
    put(&m, SCM_RIGHTS, fds, 54 * sizeof(int));
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    message(&m, 1, 0);
    put(&m, SCM_RIGHTS, fds, 2 * sizeof(int));
    put(&m, SCM_RIGHTS, fds, 3 * sizeof(int));
    EXPECT_EQ(SYS(sendmsg, a, &m.h, 0), 1);
    EXPECT_EQ(receive(b, &m, 8, sizeof(m.control), 0), 1);
    EXPECT_EQ(got_fds(&m, got), 5); /* in one */
}

TEST(bad_control, "sendmsg:EBADF,EINVAL")
{
    int bad[2] = {1, 999};
    struct message m;
    struct cmsghdr *c = &m.align;

    pair(SOCK_STREAM);
    EXPECT_ERRNO(send_fds(a, "x", bad, 2), EBADF);
    EXPECT_EQ(send_fds(a, "x", bad, 0), 1); /* none are fine */
    message(&m, 1, 0);
    put(&m, 77, bad, 4);
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    c->cmsg_level = 999; /* of others it knows nothing */
    EXPECT_EQ(SYS(sendmsg, a, &m.h, 0), 1);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = sizeof(*c) - 1;
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    c->cmsg_len = m.h.msg_controllen + 1;
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    c->cmsg_len = (size_t)-8;
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    m.h.msg_controllen = sizeof(*c) - 1; /* not even a header: nothing */
    EXPECT_EQ(SYS(sendmsg, a, &m.h, 0), 1);
}

TEST(truncated_control, "recvmsg close")
{
    int fds[4] = {1, 1, 1, 1}, got[4], before;
    struct message m;

    pair(SOCK_STREAM);
    before = open_count();
    EXPECT_EQ(send_fds(a, "x", fds, 4), 1);
    EXPECT_EQ(receive(b, &m, 8, CMSG_LEN(2 * sizeof(int)), 0), 1);
    EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
    EXPECT_EQ(got_fds(&m, got), 2);
    EXPECT_EQ(open_count(), before + 2);
    EXPECT_EQ(send_fds(a, "x", fds, 4), 1);
    EXPECT_EQ(receive(b, &m, 8, CMSG_LEN(0), 0), 1);
    EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
    EXPECT_EQ(m.h.msg_controllen, 0);
    EXPECT_EQ(send_fds(a, "x", fds, 4), 1);
    EXPECT_EQ(receive(b, &m, 8, 0, 0), 1);
    EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
    EXPECT_EQ(send_fds(a, "x", fds, 4), 1);
    EXPECT_EQ(SYS(read, b, m.data, 8), 1); /* read() loses them, too */
    EXPECT_EQ(open_count(), before + 2);
}

/* receive_at() - three files into control data at `at`; how many descriptors came, and the length told */
static void receive_at(char *at, size_t room, int files, size_t length)
{
    int fds[3] = {a, a, a};
    struct message m;
    int before = open_count();

    REQUIRE_OK(send_fds(a, "x", fds, 3));
    message(&m, 1, 0);
    m.h.msg_control = at;
    m.h.msg_controllen = room;
    EXPECT_EQ(SYS(recvmsg, b, &m.h, MSG_DONTWAIT), 1);
    EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
    EXPECT_EQ(m.h.msg_controllen, length);
    EXPECT_EQ(open_count() - before, files);
}

TEST(fault_in_control_data, "recvmsg recvfrom")
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    char *bad = guest_bad_page(), text[4];

    for (int i = 0; i < 2; i++) {
        int on = 1, fds[1];
        struct message m;

        pair(types[i]);
        /* Only descriptors whose numbers the memory takes are made. */
        receive_at(bad, 64, 0, 0);
        receive_at(bad - 16, 64, 0, 0);
        receive_at(bad - 20, 64, 1, 24);
        receive_at(bad - 24, 64, 2, 24);
        EXPECT_OK(SYS(setsockopt, b, SOL_SOCKET, SO_PASSCRED, &on, 4));
        /* Credentials that it doesn't take are left out. */
        receive_at(bad - 24, 64, 2, 24);
        receive_at(bad - 32 - 8, 80, 0, 32);
        receive_at(bad - 32 - 20, 80, 1, 56);
        /* Where the data faults, nothing is received on a stream. */
        if (types[i] == SOCK_DGRAM)
            continue;
        on = 0;
        EXPECT_OK(SYS(setsockopt, b, SOL_SOCKET, SO_PASSCRED, &on, 4));
        fds[0] = a;
        REQUIRE_OK(send_fds(a, "abc", fds, 1));
        message(&m, 1, 64);
        m.v = (struct iovec){bad, 3};
        EXPECT_ERRNO(SYS(recvmsg, b, &m.h, MSG_DONTWAIT), EFAULT);
        message(&m, 3, 64);
        EXPECT_EQ(SYS(recvmsg, b, &m.h, MSG_DONTWAIT), 3);
        EXPECT_EQ(m.h.msg_controllen, 24);
        EXPECT_ERRNO(SYS(recvfrom, b, text, 4, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    }
}

TEST(truncation_closes, "recvmsg read")
{
    struct message m;
    int ends[2];
    char c;

    pair(SOCK_DGRAM);
    REQUIRE_OK(SYS(pipe, ends));
    EXPECT_EQ(send_fds(a, "x", &ends[1], 1), 1);
    close(ends[1]);
    EXPECT_EQ(receive(b, &m, 8, 0, 0), 1);
    EXPECT_EQ(SYS(read, ends[0], &c, 1), 0); /* the pipe's last writer is gone */
}

TEST(no_descriptors_left, "recvmsg")
{
    struct rlimit low = {0, 200};
    int fds[3] = {1, 1, 1}, got[3], next;
    struct message m;

    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "x", fds, 3), 1);
    next = (int)REQUIRE_OK(SYS(dup, 1));
    close(next);
    low.rlim_cur = (rlim_t)next + 2;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &low));
    EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
    EXPECT_EQ(got_fds(&m, got), 2);
    EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
}

TEST(stream_barriers, "recvmsg")
{
    struct message m;
    int fd = -1;

    pair(SOCK_STREAM);
    EXPECT_EQ(SYS(write, a, "ab", 2), 2);
    EXPECT_EQ(send_fds(a, "cd", &a, 1), 2);
    EXPECT_EQ(SYS(write, a, "ef", 2), 2);
    /* Bytes with files are read with those before them, never with those after. */
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 4);
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 2);
    EXPECT_EQ(got_fds(&m, &fd), 0);
    EXPECT_EQ(send_fds(a, "cd", &a, 1), 2);
    EXPECT_EQ(send_fds(a, "ef", &a, 1), 2);
    EXPECT_EQ(receive(b, &m, 1, 200, 0), 1); /* the first byte brings them */
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 3);
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT_EQ(receive(b, &m, 16, 200, MSG_DONTWAIT), -1);
}

TEST(peek_at_files, "recvmsg")
{
    struct message m;
    int x = -1, y = -1;

    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "x", &a, 1), 1);
    EXPECT_EQ(receive(b, &m, 8, 200, MSG_PEEK), 1);
    EXPECT_EQ(got_fds(&m, &x), 1);
    EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
    EXPECT_EQ(got_fds(&m, &y), 1);
    EXPECT_NE(x, y);
    EXPECT(same_file(x, y));
}

TEST(nothing_without_data, "sendmsg")
{
    struct message m;
    int fd = -1;

    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "", &a, 1), 0); /* a stream has no empty messages */
    EXPECT_ERRNO(receive(b, &m, 8, 200, MSG_DONTWAIT), EAGAIN);
    pair(SOCK_DGRAM);
    EXPECT_EQ(send_fds(a, "", &a, 1), 0);
    EXPECT_EQ(receive(b, &m, 8, 200, MSG_DONTWAIT), 0);
    EXPECT_EQ(got_fds(&m, &fd), 1);
}

TEST(path_descriptors, "sendmsg recvmsg")
{
    struct message m;
    int p, fd = -1;

    guest_scratch();
    p = (int)REQUIRE_OK(SYS(open, ".", O_PATH, 0));
    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "x", &p, 1), 1);
    EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT(same_file(fd, p));
}

TEST(dies_with_the_receiver, "close read")
{
    int ends[2];
    char c;

    REQUIRE_OK(SYS(pipe, ends));
    pair(SOCK_STREAM);
    EXPECT_EQ(send_fds(a, "x", &ends[1], 1), 1);
    close(ends[1]);
    close(b);
    EXPECT_EQ(SYS(read, ends[0], &c, 1), 0);
}

/* held_by() - a pipe whose write end lies in the queue of `to`, sent there through `from`.
 * Return: its read end */
static int held_by(int from)
{
    int ends[2];

    REQUIRE_OK(SYS(pipe, ends));
    EXPECT_EQ(send_fds(from, "p", &ends[1], 1), 1);
    close(ends[1]);
    EXPECT_OK(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    return ends[0];
}

/* gone() - does the pipe's writer go, if need be once other sockets come and go? */
static bool gone(int fd)
{
    char c;

    for (int i = 0; i < 200; i++) {
        int sv[2];

        if (read(fd, &c, 1) == 0)
            return true;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0) {
            close(sv[0]);
            close(sv[1]);
        }
        guest_sleep_ms(10);
    }
    return false;
}

TEST(cycle_of_one, "sendmsg close")
{
    int fd;

    pair(SOCK_STREAM);
    fd = held_by(a);
    EXPECT_EQ(send_fds(a, "x", &b, 1), 1); /* b lies in its own queue */
    close(b);
    close(a);
    EXPECT(gone(fd));
}

TEST(cycle_of_two, "sendmsg close")
{
    int fd;

    pair(SOCK_STREAM);
    fd = held_by(a);
    EXPECT_EQ(send_fds(a, "x", &a, 1), 1); /* each lies in the other's */
    EXPECT_EQ(send_fds(b, "y", &b, 1), 1);
    close(a);
    close(b);
    EXPECT(gone(fd));
}

TEST(cycle_of_many, "sendmsg close")
{
    enum { N = 10 };
    int sv[N][2], fd;

    for (int i = 0; i < N; i++)
        REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_DGRAM, 0, sv[i]));
    fd = held_by(sv[3][0]);
    for (int i = 0; i < N; i++)
        EXPECT_EQ(send_fds(sv[i][0], "x", sv[(i + 1) % N], 2), 1);
    for (int i = 0; i < N; i++) {
        close(sv[i][0]);
        close(sv[i][1]);
    }
    EXPECT(gone(fd));
}

TEST(cycle_through_a_listener, "sendmsg close connect")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0)), c, fd;
    socklen_t len = sizeof(un);

    REQUIRE_OK(SYS(bind, l, &un, sizeof(sa_family_t)));
    REQUIRE_OK(SYS(listen, l, 1));
    REQUIRE_OK(SYS(getsockname, l, &un, &len));
    c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(connect, c, &un, len));
    fd = held_by(c); /* in a connection that nobody accepted */
    EXPECT_EQ(send_fds(c, "x", &l, 1), 1);
    close(l);
    close(c);
    EXPECT(gone(fd));
}

TEST(reachable_is_kept, "sendmsg recvmsg close")
{
    int outer[2], inner[2], fd = -1, pipe_end;
    struct message m;
    char c;

    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, outer));
    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, inner));
    pipe_end = held_by(inner[0]);
    EXPECT_EQ(send_fds(inner[0], "x", &inner[0], 1), 1);
    EXPECT_EQ(send_fds(outer[0], "o", &inner[1], 1), 1);
    close(inner[0]);
    close(inner[1]);
    for (int i = 0; i < 20; i++) { /* collections */
        int sv[2];

        REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, sv));
        EXPECT_EQ(send_fds(sv[0], "x", sv, 2), 1);
        close(sv[0]);
        close(sv[1]);
    }
    EXPECT_ERRNO(SYS(read, pipe_end, &c, 1), EAGAIN);
    EXPECT_EQ(receive(outer[1], &m, 8, 200, 0), 1);
    EXPECT_EQ(got_fds(&m, &fd), 1);
    EXPECT_EQ(receive(fd, &m, 1, 200, 0), 1);
    EXPECT_EQ(m.data[0], 'p');
    close(outer[0]);
    close(outer[1]);
}

TEST(deep_chain, "sendmsg close")
{
    unsigned long n = guest_operations(3000);
    int last[2], fd;

    /* A socket in a queue of a socket in a queue …: closing the last takes them all apart. */
    REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, last));
    fd = held_by(last[0]);
    for (unsigned long i = 0; i < n; i++) {
        int next[2];

        REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, next));
        if (send_fds(next[0], "x", last, 2) != 1) {
            EXPECT_EQ(errno, ETOOMANYREFS); /* kernels that bound the depth */
            close(next[0]);
            close(next[1]);
            break;
        }
        close(last[0]);
        close(last[1]);
        last[0] = next[0];
        last[1] = next[1];
    }
    close(last[0]);
    close(last[1]);
    EXPECT(gone(fd));
}

TEST(too_many_in_flight, "sendmsg:ETOOMANYREFS")
{
    struct rlimit low = {30, 30};
    int fds[40];

    for (int i = 0; i < 40; i++)
        fds[i] = 1;
    pair(SOCK_DGRAM);
    REQUIRE_OK(SYS(setresuid, 54321, 54321, 54321));
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &low));
    EXPECT_EQ(send_fds(a, "x", fds, 40), 1); /* the limit is looked at before they are added */
    EXPECT_ERRNO(send_fds(a, "x", fds, 1), ETOOMANYREFS);
    EXPECT_EQ(SYS(read, b, fds, 1), 1);
    EXPECT_EQ(send_fds(a, "x", fds, 0), 1);
}

/* --- credentials --- */

static bool got_ids(struct message *m, struct ucred *ids)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(&m->h);

    while (c && (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS))
        c = CMSG_NXTHDR(&m->h, c);
    if (!c)
        return false;
    EXPECT_EQ(c->cmsg_len, CMSG_LEN(sizeof(*ids)));
    memcpy(ids, CMSG_DATA(c), sizeof(*ids));
    return true;
}

static void pass_ids(int fd)
{
    int one = 1;

    REQUIRE_OK(SYS(setsockopt, fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
}

static long send_ids(int to, struct ucred ids)
{
    struct message m;

    message(&m, 1, 0);
    put(&m, SCM_CREDENTIALS, &ids, sizeof(ids));
    return SYS(sendmsg, to, &m.h, MSG_DONTWAIT);
}

TEST(ids_of_the_sender, "recvmsg setsockopt")
{
    int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    struct message m;
    struct ucred ids;

    for (int i = 0; i < 3; i++) {
        pair(types[i]);
        EXPECT_EQ(SYS(write, a, "x", 1), 1);
        EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
        EXPECT(!got_ids(&m, &ids));
        pass_ids(b);
        EXPECT_EQ(SYS(write, a, "x", 1), 1);
        EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
        REQUIRE(got_ids(&m, &ids));
        EXPECT_EQ(ids.pid, getpid());
        EXPECT_EQ(ids.uid, getuid());
        EXPECT_EQ(ids.gid, getgid());
        EXPECT_EQ(SYS(write, a, "x", 1), 1);
        EXPECT_EQ(receive(b, &m, 8, 0, 0), 1);
        EXPECT_EQ(m.h.msg_flags, MSG_CTRUNC);
    }
}

TEST(ids_asked_for_too_late, "recvmsg")
{
    struct message m;
    struct ucred ids;

    pair(SOCK_DGRAM);
    EXPECT_EQ(SYS(write, a, "x", 1), 1);
    pass_ids(b);
    EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
    REQUIRE(got_ids(&m, &ids));
    EXPECT_EQ(ids.pid, 0);
    EXPECT_EQ(ids.uid, 65534);
    EXPECT_EQ(ids.gid, 65534);
}

TEST(ids_claimed, "sendmsg sendmsg:EPERM,ESRCH,EINVAL")
{
    struct ucred me = {getpid(), getuid(), getgid()}, ids;
    struct message m;

    pair(SOCK_DGRAM);
    pass_ids(b);
    EXPECT_EQ(send_ids(a, me), 1);
    EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
    REQUIRE(got_ids(&m, &ids));
    EXPECT_EQ(ids.pid, me.pid);
    EXPECT_ERRNO(send_ids(a, (struct ucred){me.pid, (uid_t)-1, me.gid}), EINVAL);
    message(&m, 1, 0);
    put(&m, SCM_CREDENTIALS, &me, sizeof(me) - 4);
    EXPECT_ERRNO(SYS(sendmsg, a, &m.h, 0), EINVAL);
    if (guest_has_cap(21) && guest_has_cap(7) && guest_has_cap(6)) { /* SYS_ADMIN SETUID SETGID */
        EXPECT_EQ(send_ids(a, (struct ucred){1, 77, 78}), 1);
        EXPECT_EQ(receive(b, &m, 8, 200, 0), 1);
        REQUIRE(got_ids(&m, &ids));
        EXPECT_EQ(ids.pid, 1);
        EXPECT_EQ(ids.uid, 77);
        EXPECT_EQ(ids.gid, 78);
        EXPECT_ERRNO(send_ids(a, (struct ucred){4000000, 0, 0}), ESRCH);
    }
    REQUIRE_OK(SYS(setresgid, 4321, 4321, 4321));
    REQUIRE_OK(SYS(setresuid, 4321, 4321, 4321));
    me.uid = me.gid = 4321;
    EXPECT_EQ(send_ids(a, me), 1);
    EXPECT_ERRNO(send_ids(a, (struct ucred){me.pid, 0, 4321}), EPERM);
    EXPECT_ERRNO(send_ids(a, (struct ucred){me.pid, 4321, 0}), EPERM);
    EXPECT_ERRNO(send_ids(a, (struct ucred){getppid() + 1000, 4321, 4321}), EPERM);
}

TEST(ids_part_a_stream, "recvmsg")
{
    struct message m;
    struct ucred ids;
    pid_t child;

    pair(SOCK_STREAM);
    pass_ids(b);
    EXPECT_EQ(SYS(write, a, "ab", 2), 2);
    child = guest_fork();
    if (child == 0) {
        EXPECT_EQ(SYS(write, a, "cd", 2), 2);
        guest_finish();
    }
    EXPECT_EQ(guest_wait(child), 0);
    EXPECT_EQ(SYS(write, a, "ef", 2), 2);
    EXPECT_EQ(SYS(write, a, "gh", 2), 2);
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 2);
    EXPECT(got_ids(&m, &ids) && ids.pid == getpid());
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 2);
    EXPECT(got_ids(&m, &ids) && ids.pid == child);
    EXPECT_EQ(receive(b, &m, 16, 200, 0), 4);
}

TEST(process_descriptors, "setsockopt:ENOPROTOOPT recvmsg")
{
    int on = 1;
    struct message m;

    /* Who may ask for SCM_PIDFD gets one. */
    pair(SOCK_STREAM);
    if (SYS(setsockopt, b, SOL_SOCKET, 76, &on, sizeof(on)) < 0) {
        EXPECT_EQ(errno, ENOPROTOOPT);
        return;
    }
    REQUIRE_OK(SYS(write, a, "x", 1));
    message(&m, 1, 64);
    EXPECT_EQ(SYS(recvmsg, b, &m.h, 0), 1);
    EXPECT_EQ(CMSG_FIRSTHDR(&m.h)->cmsg_type, 4);
}

TEST(peer_ids, "getsockopt")
{
    struct ucred ids = {-5, 0, 0};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int l, c, s, pids[2];
    socklen_t len = sizeof(ids), ulen = sizeof(un);
    pid_t child;

    pair(SOCK_STREAM);
    EXPECT_OK(SYS(getsockopt, a, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    EXPECT_EQ(ids.pid, getpid());
    EXPECT_EQ(ids.uid, geteuid());
    c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    EXPECT_OK(SYS(getsockopt, c, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    EXPECT_EQ(ids.pid, 0);
    EXPECT_EQ(ids.uid, (uid_t)-1);
    l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
    REQUIRE_OK(SYS(bind, l, &un, sizeof(sa_family_t)));
    REQUIRE_OK(SYS(listen, l, 5));
    REQUIRE_OK(SYS(getsockname, l, &un, &ulen));
    REQUIRE_OK(SYS(pipe, pids));
    child = guest_fork();
    if (child == 0) {
        EXPECT_OK(SYS(connect, c, &un, ulen));
        EXPECT_OK(SYS(getsockopt, c, SOL_SOCKET, SO_PEERCRED, &ids, &len));
        EXPECT_EQ(ids.pid, getppid()); /* who called listen() */
        guest_finish();
    }
    s = (int)REQUIRE_OK(SYS(accept, l, NULL, NULL));
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    EXPECT_EQ(ids.pid, child);
    EXPECT_EQ(guest_wait(child), 0);
    EXPECT_OK(SYS(getsockopt, s, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    EXPECT_EQ(ids.pid, child);
}

TEST(peer_groups, "getsockopt:ERANGE getsockopt setgroups")
{
    gid_t groups[3] = {10, 20, 30}, got[8] = {0};
    socklen_t len = 8;

    REQUIRE_OK(SYS(setgroups, 3, groups));
    pair(SOCK_STREAM);
    EXPECT_ERRNO(SYS(getsockopt, a, SOL_SOCKET, SO_PEERGROUPS, got, &len), ERANGE);
    EXPECT_EQ(len, sizeof(groups));
    len = sizeof(got);
    EXPECT_OK(SYS(getsockopt, a, SOL_SOCKET, SO_PEERGROUPS, got, &len));
    EXPECT_EQ(len, sizeof(groups));
    EXPECT_MEMEQ(got, groups, sizeof(groups));
}

TEST(autobind_of_who_asks, "connect getsockname")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX}, own;
    int l = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, 0));
    int c = (int)REQUIRE_OK(SYS(socket, AF_UNIX, SOCK_DGRAM, 0));
    socklen_t len = sizeof(un), n = sizeof(own);

    REQUIRE_OK(SYS(bind, l, &un, sizeof(sa_family_t)));
    REQUIRE_OK(SYS(getsockname, l, &un, &len));
    pass_ids(c);
    REQUIRE_OK(SYS(connect, c, &un, len));
    EXPECT_OK(SYS(getsockname, c, &own, &n));
    EXPECT_EQ(n, sizeof(sa_family_t) + 6);
}

TEST(storm, "sendmsg recvmsg close")
{
    unsigned long rounds = guest_operations(2000);
    int sv[8][2];
    pid_t kids[3];

    for (int i = 0; i < 8; i++)
        REQUIRE_OK(SYS(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv[i]));
    for (int k = 0; k < 3; k++) {
        kids[k] = guest_fork();
        if (kids[k])
            continue;
        srand((unsigned int)k);
        for (unsigned long i = 0; i < rounds; i++) {
            int x = rand() % 8, y = rand() % 8, got[16];
            struct message m;

            if (rand() % 2) {
                EXPECT(send_fds(sv[x][rand() % 2], "s", sv[y], 2) == 1 || errno == EAGAIN ||
                       errno == ETOOMANYREFS);
            } else if (receive(sv[x][rand() % 2], &m, 64, 200, rand() % 4 ? 0 : MSG_PEEK) > 0) {
                size_t n = got_fds(&m, got);

                while (n--)
                    close(got[n]);
            }
        }
        guest_finish();
    }
    for (int k = 0; k < 3; k++)
        EXPECT_EQ(guest_wait(kids[k]), 0);
}
