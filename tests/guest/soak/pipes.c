/* Loads: pipes, FIFOs and what moves bytes between them. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* send_filled() - total bytes of that seed in pieces of random sizes and by random calls */
static void send_filled(struct soak *s, int fd, size_t total, uint64_t with)
{
    char buf[9000];

    for (size_t at = 0; at < total;) {
        size_t n = 1 + soak_below(s, sizeof(buf));
        struct iovec iov[2];
        ssize_t put;

        n = n < total - at ? n : total - at;
        soak_fill(buf, n, with + at);
        iov[0] = (struct iovec){buf, n / 3};
        iov[1] = (struct iovec){buf + n / 3, n - n / 3};
        if (soak_coin(s, 3))
            put = writev(fd, iov, 2);
        else
            put = write(fd, buf, n);
        if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd room = {fd, POLLOUT, 0};

            EXPECT_EQ(poll(&room, 1, -1), 1);
            continue;
        }
        REQUIRE(put > 0 && (size_t)put <= n);
        at += (size_t)put;
    }
}

/* take_filled() - read to the end. Return: how many bytes came, which were those of that seed */
static size_t take_filled(struct soak *s, int fd, uint64_t with)
{
    char buf[9000];
    size_t at = 0;

    for (;;) {
        ssize_t got = read(fd, buf, 1 + soak_below(s, sizeof(buf)));

        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd ready = {fd, POLLIN, 0};

            EXPECT_EQ(poll(&ready, 1, -1), 1);
            continue;
        }
        if (got <= 0)
            break;
        if (!EXPECT_EQ(soak_filled(buf, (size_t)got, with + at), got))
            break;
        at += (size_t)got;
    }
    return at;
}

LOAD(pipe_bytes)
{
    size_t total = 1 + soak_below(s, 200000);
    uint64_t with = s->random;
    int fds[2];
    pid_t pid;

    soak_pipe(fds, soak_coin(s, 2) ? O_NONBLOCK : 0);
    if (soak_coin(s, 3))
        EXPECT_GE(fcntl(fds[0], F_SETPIPE_SZ, 4096 << soak_below(s, 5)), 4096);
    SOAK_CHILD (pid, fds[1], -1)
        send_filled(s, fds[1], total, with);
    close(fds[1]);
    EXPECT_EQ(take_filled(s, fds[0], with), total);
    EXPECT_CHILD_OK(pid);
    close(fds[0]);
}

/* splicer() - everything from one pipe into the other, some by way of a third */
static void splicer(struct soak *s, int from, int to)
{
    int tee_fds[2];
    ssize_t n;

    soak_pipe(tee_fds, 0);
    for (;;) {
        if (soak_coin(s, 2)) {
            n = splice(from, NULL, to, NULL, 1 + soak_below(s, 70000), 0);
        } else {
            n = tee(from, tee_fds[1], 1 + soak_below(s, 4000), 0);
            for (ssize_t left = n; left > 0;) {
                char buf[4000];
                ssize_t seen = splice(tee_fds[0], NULL, to, NULL, (size_t)left, 0);

                REQUIRE(seen > 0 && seen <= left);
                EXPECT_EQ(soak_read_all(from, buf, (size_t)seen), seen);
                left -= seen;
            }
        }
        REQUIRE(n >= 0);
        if (n == 0)
            break;
    }
}

LOAD(splices)
{
    size_t total = 1 + soak_below(s, 200000);
    uint64_t with = s->random;
    int in[2], out[2];
    pid_t sender, middle;

    soak_pipe(in, 0);
    soak_pipe(out, 0);
    SOAK_CHILD (sender, in[1], -1)
        send_filled(s, in[1], total, with);
    SOAK_CHILD (middle, in[0], out[1], -1)
        splicer(s, in[0], out[1]);
    close(in[0]);
    close(in[1]);
    close(out[1]);
    EXPECT_EQ(take_filled(s, out[0], with), total);
    EXPECT_CHILD_OK(sender);
    EXPECT_CHILD_OK(middle);
    close(out[0]);
}

struct record {
    uint32_t writer, number, length;
    unsigned char bytes[];
};

/* Records of at most PIPE_BUF bytes come whole, and those of one writer in their order. */
LOAD(pipe_records)
{
    enum { WRITERS = 3, RECORDS = 30 };
    union { struct record r; char bytes[4096]; } u;
    uint32_t next[WRITERS] = {0};
    pid_t pids[WRITERS];
    int fds[2];

    soak_pipe(fds, 0);
    for (uint32_t w = 0; w < WRITERS; w++) {
        s->random += w;
        SOAK_CHILD (pids[w], fds[1], -1) {
            for (uint32_t i = 0; i < RECORDS; i++) {
                u.r = (struct record){w, i, soak_below(s, sizeof(u) - sizeof(u.r))};
                soak_fill(u.r.bytes, u.r.length, w * 100 + i);
                EXPECT_EQ(write(fds[1], &u, sizeof(u.r) + u.r.length), sizeof(u.r) + u.r.length);
            }
        }
    }
    close(fds[1]);
    while (soak_read_all(fds[0], &u, sizeof(u.r)) == sizeof(u.r)) {
        REQUIRE(u.r.writer < WRITERS && u.r.length <= sizeof(u) - sizeof(u.r));
        EXPECT_EQ(u.r.number, next[u.r.writer]++);
        EXPECT_EQ(soak_read_all(fds[0], u.r.bytes, u.r.length), u.r.length);
        EXPECT_EQ(soak_filled(u.r.bytes, u.r.length, u.r.writer * 100 + u.r.number), u.r.length);
    }
    for (uint32_t w = 0; w < WRITERS; w++) {
        EXPECT_EQ(next[w], RECORDS);
        EXPECT_CHILD_OK(pids[w]);
    }
    close(fds[0]);
}

LOAD(packets)
{
    char buf[4096];
    int fds[2];

    soak_pipe(fds, O_DIRECT);
    for (int round = 0; round < 5; round++) {
        size_t n[8];

        for (size_t i = 0; i < 8; i++) {
            n[i] = 1 + soak_below(s, sizeof(buf));
            soak_fill(buf, n[i], i);
            EXPECT_EQ(write(fds[1], buf, n[i]), n[i]);
        }
        for (size_t i = 0; i < 8; i++) {
            size_t most = 1 + soak_below(s, sizeof(buf)), expected = n[i] < most ? n[i] : most;

            EXPECT_EQ(read(fds[0], buf, most), expected);
            EXPECT_EQ(soak_filled(buf, expected, i), expected);
        }
    }
    close(fds[0]);
    close(fds[1]);
}

LOAD(fifo)
{
    size_t total = 1 + soak_below(s, 50000);
    uint64_t with = s->random;
    char path[256];
    pid_t pid;

    soak_path(s, "fifo", path);
    REQUIRE_OK(mkfifo(path, 0600));
    EXPECT_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
    SOAK_CHILD (pid, -1) {
        soak_nap(s, 1000);
        send_filled(s, (int)REQUIRE_OK(open(path, O_WRONLY)), total, with);
    }
    soak_nap(s, 1000);
    {
        int fd = (int)REQUIRE_OK(open(path, O_RDONLY | O_CLOEXEC));

        EXPECT_EQ(take_filled(s, fd, with), total);
        EXPECT_CHILD_OK(pid);
        EXPECT_OK(unlink(path));
        close(fd);
    }
}

LOAD(broken_pipe)
{
    int fds[2], status;
    pid_t pid;

    soak_pipe(fds, 0);
    pid = SOAK_FORK(fds[1]);
    if (pid == 0) {
        char byte = 0;

        if (soak_coin(s, 2))
            signal(SIGPIPE, SIG_IGN);
        while (write(fds[1], &byte, 1) == 1)
            continue;
        _exit(errno == EPIPE ? 9 : 1);
    }
    close(fds[1]);
    soak_nap(s, 2000);
    close(fds[0]);
    status = guest_wait(pid);
    EXPECT(status == 9 << 8 || status == SIGPIPE);
}
