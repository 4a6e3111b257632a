/*
 * Pipes and FIFOs: blocking and not, end of file, SIGPIPE, atomic writes, sizes, splicing.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int rd, wr;

static void make_pipe(int flags)
{
    int ends[2];

    REQUIRE_OK(SYS(pipe2, ends, flags));
    rd = ends[0];
    wr = ends[1];
}

/* fill() - write until a nonblocking pipe takes no more. Return: how much it took */
static long fill(size_t chunk)
{
    static char block[65536];
    long total = 0, n;

    while ((n = SYS(write, wr, block, chunk)) > 0)
        total += n;
    EXPECT_EQ(n, -1);
    EXPECT_EQ(errno, EAGAIN);
    return total;
}

TEST(pipe_basic, "pipe read write")
{
    int ends[2];
    char buf[16] = {0};
    struct stat st;

    REQUIRE_OK(SYS(pipe, ends));
    EXPECT_EQ(ends[1], ends[0] + 1);
    EXPECT_EQ(SYS(write, ends[1], "hello", 5), 5);
    EXPECT_EQ(SYS(write, ends[1], "there", 5), 5);
    EXPECT_EQ(SYS(read, ends[0], buf, 3), 3);
    EXPECT_EQ(SYS(read, ends[0], buf + 3, 10), 7);
    EXPECT_STREQ(buf, "hellothere");
    EXPECT_ERRNO(SYS(read, ends[1], buf, 1), EBADF);
    EXPECT_ERRNO(SYS(write, ends[0], buf, 1), EBADF);
    EXPECT_OK(fstat(ends[0], &st));
    EXPECT_EQ(st.st_mode, S_IFIFO | 0600);
}

TEST(pipe_flags, "pipe2 pipe2:EINVAL,EFAULT pipe:EFAULT")
{
    int ends[2] = {-1, -1};

    make_pipe(O_CLOEXEC | O_NONBLOCK);
    EXPECT_EQ(fcntl(rd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(wr, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(rd, F_GETFL), O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(fcntl(wr, F_GETFL), O_WRONLY | O_NONBLOCK);
    make_pipe(0);
    EXPECT_EQ(fcntl(rd, F_GETFD), 0);
    EXPECT_EQ(fcntl(rd, F_GETFL), O_RDONLY);
    EXPECT_ERRNO(SYS(pipe2, ends, O_APPEND), EINVAL);
    EXPECT_ERRNO(SYS(pipe2, ends, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(pipe2, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(pipe, NULL), EFAULT);
    /* A failure leaves no descriptor behind. */
    EXPECT_EQ(dup(rd), wr + 1);
}

TEST(pipe_nonblock, "read:EAGAIN write:EAGAIN")
{
    char byte;
    long total;

    make_pipe(O_NONBLOCK);
    EXPECT_ERRNO(SYS(read, rd, &byte, 1), EAGAIN);
    EXPECT_EQ(SYS(read, rd, &byte, 0), 0);
    total = fill(4096);
    EXPECT_EQ(total, fcntl(rd, F_GETPIPE_SZ));
    EXPECT_ERRNO(SYS(write, wr, "x", 1), EAGAIN);
    EXPECT_EQ(SYS(write, wr, "x", 0), 0);
}

TEST(pipe_default_size, "fcntl")
{
    make_pipe(O_NONBLOCK);
    EXPECT_EQ(fcntl(wr, F_GETPIPE_SZ), 65536);
    EXPECT_EQ(fill(65536), 65536);
}

TEST(pipe_nonblock_atomic, "write:EAGAIN")
{
    static char block[4096 + 100];
    long n;

    make_pipe(O_NONBLOCK);
    fill(4096);
    EXPECT_EQ(SYS(read, rd, block, 4096), 4096);
    EXPECT_EQ(SYS(write, wr, block, 100), 100);
    /* PIPE_BUF bytes or fewer: all or nothing; more: what there is room for, or nothing. */
    EXPECT_ERRNO(SYS(write, wr, block, 4096), EAGAIN);
    n = SYS(write, wr, block, 4096 + 100);
    EXPECT((n > 0 && n < 4096) || (n == -1 && errno == EAGAIN));
}

TEST(pipe_eof, "read close")
{
    char buf[8];
    int copy;

    make_pipe(0);
    copy = dup(wr);
    EXPECT_EQ(write(wr, "abc", 3), 3);
    close(wr);
    EXPECT_EQ(SYS(read, rd, buf, 8), 3);
    EXPECT_OK(fcntl(rd, F_SETFL, O_NONBLOCK));
    EXPECT_ERRNO(SYS(read, rd, buf, 8), EAGAIN);
    close(copy);
    EXPECT_EQ(SYS(read, rd, buf, 8), 0);
    EXPECT_EQ(SYS(read, rd, buf, 8), 0);
}

TEST(pipe_eof_wakes_reader, "read exit_group")
{
    char byte;
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        guest_sleep_ms(30);
    }
    close(wr);
    EXPECT_EQ(SYS(read, rd, &byte, 1), 0);
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_epipe, "write:EPIPE writev:EPIPE")
{
    struct iovec iov[] = {IOV_TEXT("x")};

    make_pipe(0);
    close(rd);
    guest_on_signal(SIGPIPE, guest_count_signal, 0);
    EXPECT_ERRNO(SYS(write, wr, "x", 1), EPIPE);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_ERRNO(SYS(writev, wr, iov, 1), EPIPE);
    EXPECT_EQ(guest_signals, 2);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(SYS(write, wr, "x", 1), EPIPE);
    EXPECT_EQ(SYS(write, wr, "x", 0), 0);
}

TEST(pipe_sigpipe_kills, "write")
{
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        close(rd);
        for (;;)
            write(wr, "x", 1);
    }
    close(rd);
    EXPECT_KILLED(pid, SIGPIPE);
}

TEST(pipe_epipe_wakes_writer, "write:EPIPE close")
{
    static char block[65536];
    pid_t pid;

    make_pipe(0);
    EXPECT_EQ(write(wr, block, 65536), 65536);
    IN_CHILD(pid) {
        close(rd);
        signal(SIGPIPE, SIG_IGN);
        EXPECT_ERRNO(SYS(write, wr, "x", 1), EPIPE);
    }
    guest_sleep_ms(30);
    close(rd);
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_partial_then_epipe, "write")
{
    static char block[200000];
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        close(rd);
        guest_on_signal(SIGPIPE, guest_count_signal, 0);
        /* Some was taken before the reader left: that is what write tells. */
        long n = SYS(write, wr, block, sizeof(block));

        EXPECT((n > 0 && n < (long)sizeof(block)) || (n == -1 && errno == EPIPE));
    }
    guest_sleep_ms(20);
    EXPECT_GT(read(rd, block, 4096), 0);
    close(rd);
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_read_blocks, "read")
{
    char buf[8];
    int64_t start = guest_now_ns();
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        guest_sleep_ms(50);
        EXPECT_EQ(write(wr, "now", 3), 3);
    }
    /* What there is is enough to return. */
    EXPECT_EQ(SYS(read, rd, buf, 8), 3);
    EXPECT_GE(guest_now_ns() - start, 45 * 1000000ll);
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_write_blocks, "write")
{
    static char block[100000], in[4096];
    long total = 0, n;
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        close(rd);
        /* A blocking write comes back when all is written. */
        EXPECT_EQ(SYS(write, wr, block, sizeof(block)), sizeof(block));
    }
    close(wr);
    guest_sleep_ms(20);
    while ((n = SYS(read, rd, in, sizeof(in))) > 0)
        total += n;
    EXPECT_EQ(total, sizeof(block));
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_read_eintr, "read:EINTR")
{
    char byte;
    pid_t pid;

    make_pipe(0);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pid = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(read, rd, &byte, 1), EINTR);
    EXPECT_ERRNO(SYS(read, rd, &byte, 1), EINTR);
    guest_end(pid);
    EXPECT_GE(guest_signals, 2);
}

TEST(pipe_read_restart, "read")
{
    char byte = 0;
    pid_t pid, parent = getpid();

    make_pipe(0);
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    IN_CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            guest_sleep_ms(10);
            kill(parent, SIGUSR1);
        }
        guest_sleep_ms(10);
        EXPECT_EQ(write(wr, "x", 1), 1);
    }
    EXPECT_EQ(SYS(read, rd, &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
    EXPECT_CHILD_OK(pid);
    EXPECT_GE(guest_signals, 1);
}

TEST(pipe_write_eintr, "write:EINTR")
{
    static char block[65536 + 5000];
    pid_t pid;
    long n;

    make_pipe(0);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pid = guest_pester(SIGUSR1, 20);
    /* Interrupted after some went through: that much; before any: EINTR. */
    n = SYS(write, wr, block, sizeof(block));
    EXPECT(n == 65536 || (n > 0 && n < (long)sizeof(block)));
    EXPECT_ERRNO(SYS(write, wr, block, 4096), EINTR);
    guest_end(pid);
}

TEST(pipe_atomic_writers, "write")
{
    static char block[4096];
    long count[4] = {0};
    pid_t pids[4];

    make_pipe(0);
    for (int i = 0; i < 4; i++) {
        IN_CHILD(pids[i]) {
            memset(block, 'a' + i, sizeof(block));
            for (int n = 0; n < 100; n++)
                EXPECT_EQ(SYS(write, wr, block, i % 2 ? 4096 : 1000), i % 2 ? 4096 : 1000);
        }
    }
    close(wr);
    /* A block of up to PIPE_BUF bytes is never torn: read its first byte, then the rest of it. */
    for (;;) {
        long n = SYS(read, rd, block, 1), size, have = 1;
        int who;

        if (n == 0)
            break;
        REQUIRE(n == 1 && block[0] >= 'a' && block[0] <= 'd');
        who = block[0] - 'a';
        size = who % 2 ? 4096 : 1000;
        while (have < size && (n = SYS(read, rd, block + have, size - have)) > 0)
            have += n;
        for (long i = 0; i < size; i++)
            REQUIRE(block[i] == 'a' + who);
        count[who]++;
    }
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(count[i], 100);
        EXPECT_CHILD_OK(pids[i]);
    }
}

TEST(pipe_resize, "fcntl fcntl:EBUSY,EINVAL,EBADF")
{
    int file;

    make_pipe(O_NONBLOCK);
    EXPECT_EQ(fcntl(wr, F_SETPIPE_SZ, 100), 4096);
    EXPECT_EQ(fcntl(rd, F_GETPIPE_SZ), 4096);
    EXPECT_EQ(fill(512), 4096);
    EXPECT_EQ(fcntl(wr, F_SETPIPE_SZ, 9000), 16384);
    EXPECT_EQ(fill(4096), 16384 - 4096);
    EXPECT_ERRNO(fcntl(wr, F_SETPIPE_SZ, 4096), EBUSY);
    EXPECT_EQ(fcntl(wr, F_SETPIPE_SZ, 1048576), 1048576);
    EXPECT_ERRNO(fcntl(wr, F_SETPIPE_SZ, -1), EINVAL);
    file = open("/", O_RDONLY);
    EXPECT_ERRNO(fcntl(file, F_GETPIPE_SZ), EBADF);
}

TEST(pipe_fionread, "ioctl")
{
    char buf[4];
    int n = -1;

    make_pipe(0);
    EXPECT_OK(SYS(ioctl, rd, FIONREAD, &n));
    EXPECT_EQ(n, 0);
    EXPECT_EQ(write(wr, "abcdef", 6), 6);
    EXPECT_EQ(read(rd, buf, 2), 2);
    EXPECT_OK(SYS(ioctl, rd, FIONREAD, &n));
    EXPECT_EQ(n, 4);
    EXPECT_OK(SYS(ioctl, wr, FIONREAD, &n));
    EXPECT_EQ(n, 4);
    EXPECT_ERRNO(SYS(ioctl, rd, FIONREAD, (void *)8), EFAULT);
}

TEST(pipe_efault, "read:EFAULT write:EFAULT")
{
    char buf[8] = {0}, *bad = guest_bad_page();

    make_pipe(O_NONBLOCK);
    EXPECT_ERRNO(SYS(write, wr, (void *)8, 4), EFAULT);
    EXPECT_ERRNO(SYS(write, wr, bad, 4), EFAULT);
    EXPECT_ERRNO(SYS(read, rd, buf, 8), EAGAIN);
    EXPECT_EQ(write(wr, "abcd", 4), 4);
    EXPECT_ERRNO(SYS(read, rd, bad, 4), EFAULT);
    EXPECT_ERRNO(SYS(read, rd, NULL, 4), EFAULT);
    /* What could not be given away is still there. */
    EXPECT_EQ(SYS(read, rd, buf, 8), 4);
    EXPECT_STREQ(buf, "abcd");
}

TEST(pipe_vectors, "readv writev")
{
    char a[2], b[8] = {0};
    struct iovec out[] = {IOV_TEXT("ab"), IOV_TEXT("cdef")}, in[] = {{a, 2}, {b, 8}};

    make_pipe(0);
    EXPECT_EQ(SYS(writev, wr, out, 2), 6);
    EXPECT_EQ(SYS(readv, rd, in, 2), 6);
    EXPECT_MEMEQ(a, "ab", 2);
    EXPECT_STREQ(b, "cdef");
}

TEST(pipe_big_transfer, "read write")
{
    static unsigned char buf[40000];
    size_t total = 5 * 1000 * 1000, at = 0;
    pid_t pid;

    make_pipe(0);
    IN_CHILD(pid) {
        close(rd);
        for (size_t done = 0; done < total;) {
            size_t n = total - done < 30011 ? total - done : 30011;

            for (size_t i = 0; i < n; i++)
                buf[i] = (unsigned char)((done + i) % 251);
            REQUIRE(SYS(write, wr, buf, n) == (long)n);
            done += n;
        }
    }
    close(wr);
    for (;;) {
        long n = SYS(read, rd, buf, sizeof(buf));

        if (n <= 0)
            break;
        for (long i = 0; i < n; i++)
            REQUIRE(buf[i] == (unsigned char)((at + (size_t)i) % 251));
        at += (size_t)n;
    }
    EXPECT_EQ(at, total);
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_ping_pong, "read write")
{
    int there[2], back[2];
    char byte = 'p';
    pid_t pid;

    REQUIRE_OK(pipe(there));
    REQUIRE_OK(pipe(back));
    IN_CHILD(pid) {
        for (int i = 0; i < 1000; i++) {
            REQUIRE(read(there[0], &byte, 1) == 1);
            REQUIRE(write(back[1], &byte, 1) == 1);
        }
    }
    for (int i = 0; i < 1000; i++) {
        REQUIRE(write(there[1], &byte, 1) == 1);
        REQUIRE(read(back[0], &byte, 1) == 1);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pipe_poll_states, "poll")
{
    struct pollfd fds[2];

    make_pipe(O_NONBLOCK);
    fds[0] = (struct pollfd){rd, POLLIN | POLLOUT, 0};
    fds[1] = (struct pollfd){wr, POLLIN | POLLOUT, 0};
    EXPECT_EQ(SYS(poll, fds, 2, 0), 1);
    EXPECT_EQ(fds[0].revents, 0);
    EXPECT_EQ(fds[1].revents, POLLOUT);
    fill(4096);
    EXPECT_EQ(SYS(poll, fds, 2, 0), 1);
    EXPECT_EQ(fds[0].revents, POLLIN);
    close(rd);
    EXPECT_EQ(SYS(poll, fds + 1, 1, 0), 1);
    EXPECT(fds[1].revents & POLLERR);
    make_pipe(0);
    close(wr);
    fds[0].fd = rd;
    EXPECT_EQ(SYS(poll, fds, 1, 0), 1);
    EXPECT_EQ(fds[0].revents, POLLHUP);
}

TEST(fifo_two_processes, "mknod open read write")
{
    char buf[8] = {0};
    pid_t pid;
    int fd;

    guest_scratch();
    REQUIRE_OK(mkfifo("fifo", 0600));
    IN_CHILD(pid) {
        fd = (int)REQUIRE_OK(open("fifo", O_WRONLY));
        EXPECT_EQ(write(fd, "fifo", 4), 4);
    }
    fd = (int)REQUIRE_OK(open("fifo", O_RDONLY));
    EXPECT_EQ(read(fd, buf, 8), 4);
    EXPECT_EQ(read(fd, buf, 8), 0);
    EXPECT_STREQ(buf, "fifo");
    EXPECT_CHILD_OK(pid);
    /* Opened for both it never blocks, and is its own writer. */
    fd = (int)REQUIRE_OK(open("fifo", O_RDWR));
    EXPECT_EQ(write(fd, "self", 4), 4);
    EXPECT_EQ(read(fd, buf, 8), 4);
}

TEST(splice_tee, "splice tee splice:EBADF,EINVAL,EAGAIN,ESPIPE tee:EINVAL,EBADF vmsplice")
{
    char buf[16] = {0};
    struct iovec iov[] = {IOV_TEXT("vm")};
    int a[2], b[2], fd;
    long offset = 0;

    guest_scratch();
    guest_make_file("file", "0123456789");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    REQUIRE_OK(pipe2(a, O_NONBLOCK));
    REQUIRE_OK(pipe2(b, O_NONBLOCK));
    NEEDS(splice);
    NEEDS(tee);
    NEEDS(vmsplice);
    EXPECT_EQ(SYS(splice, fd, NULL, a[1], NULL, 4, 0), 4);
    EXPECT_EQ(SYS(tee, a[0], b[1], 4, 0), 4);
    EXPECT_EQ(read(a[0], buf, 16), 4);
    EXPECT_MEMEQ(buf, "0123", 4);
    EXPECT_EQ(SYS(splice, b[0], NULL, fd, &offset, 2, 0), 2);
    EXPECT_EQ(offset, 2);
    EXPECT_EQ(read(b[0], buf, 16), 2);
    EXPECT_MEMEQ(buf, "23", 2);
    EXPECT_EQ(SYS(vmsplice, a[1], iov, 1, 0), 2);
    EXPECT_EQ(read(a[0], buf, 16), 2);
    EXPECT_ERRNO(SYS(splice, a[0], NULL, fd, NULL, 1, 2 /* SPLICE_F_NONBLOCK */), EAGAIN);
    EXPECT_ERRNO(SYS(splice, -1, NULL, fd, NULL, 1, 0), EBADF);
    EXPECT_ERRNO(SYS(splice, fd, NULL, fd, NULL, 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(splice, a[0], &offset, fd, NULL, 1, 0), ESPIPE);
    EXPECT_ERRNO(SYS(tee, fd, b[1], 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(tee, -1, b[1], 1, 0), EBADF);
}

TEST(pipe_opened_again, "open read write")
{
    char name[40], buf[8];
    int again;

    make_pipe(0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", rd);
    EXPECT_EQ(write(wr, "ab", 2), 2);
    again = (int)REQUIRE_OK(SYS(open, name, O_RDONLY));
    EXPECT_EQ(read(again, buf, sizeof(buf)), 2);
    EXPECT_MEMEQ(buf, "ab", 2);
    close(wr);
    EXPECT_EQ(read(again, buf, sizeof(buf)), 0);
    /* No writer is left, and still it waits for none. */
    close(again);
    again = (int)REQUIRE_OK(SYS(open, name, O_RDONLY));
    EXPECT_EQ(read(again, buf, sizeof(buf)), 0);
    /* Either end's name leads to the pipe, whose other end it may become. */
    wr = (int)REQUIRE_OK(SYS(open, name, O_WRONLY));
    EXPECT_EQ(write(wr, "c", 1), 1);
    EXPECT_EQ(read(rd, buf, sizeof(buf)), 1);
}
