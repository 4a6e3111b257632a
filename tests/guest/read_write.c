/*
 * Reading, writing and seeking on regular files, vectors, and what descriptors carry: dup, fcntl,
 * O_APPEND. Bad pointers in the middle of a transfer are here too. Free of threads.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* open_text() - a scratch file with this content, opened for reading and writing */
static int open_text(const char *text)
{
    guest_scratch();
    guest_make_file("file", text);
    return (int)REQUIRE_OK(open("file", O_RDWR));
}

TEST(read_basic, "read open close")
{
    char buf[16] = {0};
    int fd = open_text("hello, world");

    EXPECT_EQ(SYS(read, fd, buf, 5), 5);
    EXPECT_MEMEQ(buf, "hello", 6);
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), 7);
    EXPECT_MEMEQ(buf, ", world", 7);
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), 0);
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), 0);
    EXPECT_OK(SYS(close, fd));
}

TEST(read_zero, "read")
{
    int fd = open_text("abc");

    EXPECT_EQ(SYS(read, fd, NULL, 0), 0);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
}

TEST(read_ebadf, "read:EBADF write:EBADF")
{
    char byte = 0;
    int fd = open_text("abc");
    int wr = (int)REQUIRE_OK(open("file", O_WRONLY)), rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    int path = (int)REQUIRE_OK(open("file", O_PATH));

    EXPECT_ERRNO(SYS(read, -1, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(write, -1, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(read, 999, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(read, INT_MAX, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(read, wr, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(write, rd, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(read, path, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(write, path, &byte, 1), EBADF);
    /* The descriptor is looked at before the buffer. */
    EXPECT_ERRNO(SYS(read, wr, (void *)1, 1), EBADF);
    /* Only the low 32 bits of a descriptor count. */
    EXPECT_EQ(SYS(read, 0x100000000l | fd, &byte, 1), 1);
}

TEST(read_eisdir, "read:EISDIR pread64:EISDIR")
{
    char byte;
    int fd = (int)REQUIRE_OK(open(guest_scratch(), O_RDONLY | O_DIRECTORY));

    EXPECT_ERRNO(SYS(read, fd, &byte, 1), EISDIR);
    EXPECT_ERRNO(SYS(pread64, fd, &byte, 1, 0), EISDIR);
    EXPECT_ERRNO(SYS(write, fd, &byte, 1), EBADF);
}

TEST(read_efault, "read:EFAULT")
{
    int fd = open_text("0123456789");
    char *bad = guest_bad_page();

    EXPECT_ERRNO(SYS(read, fd, (void *)8, 4), EFAULT);
    EXPECT_ERRNO(SYS(read, fd, bad, 4), EFAULT);
    EXPECT_ERRNO(SYS(read, fd, -8l, 4), EFAULT);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
}

TEST(read_efault_partial, "read:EFAULT")
{
    int fd = open_text("0123456789");
    char *bad = guest_bad_page();
    long n = SYS(read, fd, bad - 4, 10);

    /* Linux gives what fitted, or EFAULT; then the offset says the same. */
    EXPECT(n == 4 || (n == -1 && errno == EFAULT));
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), n == 4 ? 4 : 0);
    if (n == 4)
        EXPECT_MEMEQ(bad - 4, "0123", 4);
}

TEST(write_basic, "write")
{
    char buf[32];
    int fd = open_text("");

    EXPECT_EQ(SYS(write, fd, "hello", 5), 5);
    EXPECT_EQ(SYS(write, fd, ", there", 7), 7);
    EXPECT_EQ(SYS(write, fd, NULL, 0), 0);
    EXPECT_EQ(guest_slurp("file", buf, sizeof(buf)), 12);
    EXPECT_STREQ(buf, "hello, there");
}

TEST(write_efault, "write:EFAULT")
{
    char buf[32];
    int fd = open_text("");
    char *bad = guest_bad_page();
    long n;

    EXPECT_ERRNO(SYS(write, fd, (void *)8, 4), EFAULT);
    EXPECT_ERRNO(SYS(write, fd, bad, 4), EFAULT);
    memcpy(bad - 4, "wxyz", 4);
    n = SYS(write, fd, bad - 4, 8);
    EXPECT(n == 4 || (n == -1 && errno == EFAULT));
    EXPECT_EQ(guest_slurp("file", buf, sizeof(buf)), n == 4 ? 4 : 0);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), n == 4 ? 4 : 0);
}

TEST(write_from_read_only_page, "write read:EFAULT")
{
    int fd = open_text("abcd");
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(page != MAP_FAILED);
    memcpy(page, "text", 5);
    REQUIRE_OK(mprotect(page, 4096, PROT_READ));
    EXPECT_EQ(SYS(write, fd, page, 4), 4);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_SET), 0);
    EXPECT_ERRNO(SYS(read, fd, page, 4), EFAULT);
    EXPECT_STREQ(page, "text");
}

TEST(write_fsize_limit, "write:EFBIG setrlimit")
{
    struct rlimit limit = {8, RLIM_INFINITY};
    int fd = open_text("");

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 8;
    REQUIRE_OK(setrlimit(RLIMIT_FSIZE, &limit));
    guest_on_signal(SIGXFSZ, guest_count_signal, 0);
    EXPECT_EQ(SYS(write, fd, "0123456789", 10), 8);
    EXPECT_EQ(guest_signals, 0);
    EXPECT_ERRNO(SYS(write, fd, "x", 1), EFBIG);
    EXPECT_EQ(guest_signals, 1);
}

TEST(write_large, "write read")
{
    size_t size = 3 * 1024 * 1024 + 17;
    unsigned char *out =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *in =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open_text("");

    REQUIRE(out != MAP_FAILED && in != MAP_FAILED);
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(i * 31 + (i >> 12));
    EXPECT_EQ(SYS(write, fd, out, size), size);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_SET), 0);
    EXPECT_EQ(SYS(read, fd, in, size + 1 > size ? size : 0), size);
    EXPECT_MEMEQ(in, out, size);
}

TEST(lseek_basic, "lseek lseek:EINVAL,EBADF,ESPIPE")
{
    int fd = open_text("0123456789"), ends[2];

    EXPECT_EQ(SYS(lseek, fd, 4, SEEK_SET), 4);
    EXPECT_EQ(SYS(lseek, fd, 3, SEEK_CUR), 7);
    EXPECT_EQ(SYS(lseek, fd, -2, SEEK_END), 8);
    EXPECT_EQ(SYS(lseek, fd, 100, SEEK_END), 110);
    EXPECT_ERRNO(SYS(lseek, fd, -1, SEEK_SET), EINVAL);
    EXPECT_ERRNO(SYS(lseek, fd, -11, SEEK_END), EINVAL);
    EXPECT_ERRNO(SYS(lseek, fd, 0, 99), EINVAL);
    EXPECT_ERRNO(SYS(lseek, fd, 0, -1), EINVAL);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 110);
    EXPECT_ERRNO(SYS(lseek, fd, LLONG_MAX, SEEK_CUR), EINVAL);
    EXPECT_ERRNO(SYS(lseek, -1, 0, SEEK_SET), EBADF);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(lseek, ends[0], 0, SEEK_SET), ESPIPE);
}

TEST(lseek_hole_and_data, "lseek:ENXIO")
{
    int fd = open_text("0123456789");

    EXPECT_EQ(SYS(lseek, fd, 3, SEEK_DATA), 3);
    EXPECT_EQ(SYS(lseek, fd, 3, SEEK_HOLE), 10);
    EXPECT_ERRNO(SYS(lseek, fd, 10, SEEK_DATA), ENXIO);
    EXPECT_ERRNO(SYS(lseek, fd, 11, SEEK_HOLE), ENXIO);
}

TEST(hole_reads_zeros, "lseek write read")
{
    char buf[16];
    struct stat st;
    int fd = open_text("");

    EXPECT_EQ(SYS(lseek, fd, 5000, SEEK_SET), 5000);
    EXPECT_EQ(SYS(write, fd, "x", 1), 1);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 5001);
    EXPECT_EQ(SYS(lseek, fd, 4990, SEEK_SET), 4990);
    memset(buf, 1, sizeof(buf));
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), 11);
    EXPECT_MEMEQ(buf, "\0\0\0\0\0\0\0\0\0\0x\1", 12);
}

TEST(pread_pwrite, "pread64 pwrite64")
{
    char buf[16] = {0};
    int fd = open_text("0123456789");

    EXPECT_EQ(SYS(pread64, fd, buf, 4, 6), 4);
    EXPECT_MEMEQ(buf, "6789", 5);
    EXPECT_EQ(SYS(pread64, fd, buf, 4, 8), 2);
    EXPECT_EQ(SYS(pread64, fd, buf, 4, 10), 0);
    EXPECT_EQ(SYS(pread64, fd, buf, 4, 1l << 40), 0);
    EXPECT_EQ(SYS(pwrite64, fd, "AB", 2, 3), 2);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(SYS(read, fd, buf, 10), 10);
    EXPECT_MEMEQ(buf, "012AB56789", 10);
    EXPECT_EQ(SYS(pwrite64, fd, "Z", 1, 12), 1);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_END), 13);
}

TEST(pread_errors, "pread64:EBADF,EINVAL,ESPIPE,EFAULT pwrite64:EBADF,EINVAL,ESPIPE,EFAULT")
{
    char buf[4];
    int fd = open_text("0123456789"), ends[2];
    int rd = (int)REQUIRE_OK(open("file", O_RDONLY));

    /* A negative offset is refused before the descriptor is looked at. */
    EXPECT_ERRNO(SYS(pread64, -1, buf, 4, -1), EINVAL);
    EXPECT_ERRNO(SYS(pwrite64, -1, buf, 4, -1), EINVAL);
    EXPECT_ERRNO(SYS(pread64, -1, buf, 4, 0), EBADF);
    EXPECT_ERRNO(SYS(pwrite64, rd, buf, 4, 0), EBADF);
    EXPECT_ERRNO(SYS(pread64, fd, (void *)8, 4, 0), EFAULT);
    EXPECT_ERRNO(SYS(pwrite64, fd, (void *)8, 4, 0), EFAULT);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(pread64, ends[0], buf, 4, 0), ESPIPE);
    EXPECT_ERRNO(SYS(pwrite64, ends[1], buf, 4, 0), ESPIPE);
}

TEST(readv_basic, "readv")
{
    char a[4] = {0}, b[4] = {0}, c[16] = {0};
    struct iovec iov[] = {{a, 3}, {NULL, 0}, {b, 2}, {c, 16}};
    int fd = open_text("0123456789");

    EXPECT_EQ(SYS(readv, fd, iov, 4), 10);
    EXPECT_STREQ(a, "012");
    EXPECT_STREQ(b, "34");
    EXPECT_STREQ(c, "56789");
    EXPECT_EQ(SYS(readv, fd, iov, 4), 0);
    EXPECT_EQ(SYS(readv, fd, iov, 0), 0);
    EXPECT_EQ(SYS(readv, fd, NULL, 0), 0);
}

TEST(readv_errors, "readv:EBADF,EINVAL,EFAULT")
{
    char a[4] = {0};
    struct iovec iov[] = {{a, 3}, {a, 1}}, wrong[] = {{a, 1}, {a, (size_t)-1}};
    struct iovec bad[] = {{a, 2}, {(void *)8, 2}};
    int fd = open_text("0123456789");
    long n;

    EXPECT_ERRNO(SYS(readv, -1, iov, 2), EBADF);
    EXPECT_ERRNO(SYS(readv, fd, iov, -1), EINVAL);
    EXPECT_ERRNO(SYS(readv, fd, iov, 1025), EINVAL);
    EXPECT_ERRNO(SYS(readv, fd, (void *)8, 2), EFAULT);
    EXPECT_ERRNO(SYS(readv, fd, wrong, 2), EINVAL);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
    n = SYS(readv, fd, bad, 2);
    EXPECT(n == 2 || (n == -1 && errno == EFAULT));
    EXPECT_ERRNO(SYS(readv, fd, bad + 1, 1), EFAULT);
}

TEST(writev_basic, "writev")
{
    char buf[32];
    struct iovec iov[] = {IOV_TEXT("one"), {NULL, 0}, IOV_TEXT("-two"), IOV_TEXT("!")};
    int fd = open_text("");

    EXPECT_EQ(SYS(writev, fd, iov, 4), 8);
    EXPECT_EQ(SYS(writev, fd, iov, 0), 0);
    guest_slurp("file", buf, sizeof(buf));
    EXPECT_STREQ(buf, "one-two!");
}

TEST(writev_1024, "writev")
{
    static char byte[1024];
    static struct iovec iov[1025];
    int fd = open_text("");

    for (int i = 0; i < 1025; i++)
        iov[i] = (struct iovec){&byte[i % 1024], 1};
    for (int i = 0; i < 1024; i++)
        byte[i] = (char)('a' + i % 26);
    EXPECT_EQ(SYS(writev, fd, iov, 1024), 1024);
    EXPECT_ERRNO(SYS(writev, fd, iov, 1025), EINVAL);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_END), 1024);
}

TEST(writev_errors, "writev:EBADF,EINVAL,EFAULT")
{
    struct iovec good[] = {IOV_TEXT("ab")}, bad[] = {IOV_TEXT("ab"), {(void *)8, 2}};
    struct iovec huge[] = {IOV_TEXT("a"), {(void *)8, (size_t)LONG_MAX + 1}};
    int fd = open_text("");
    int rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    long n;

    EXPECT_ERRNO(SYS(writev, rd, good, 1), EBADF);
    EXPECT_ERRNO(SYS(writev, fd, good, -1), EINVAL);
    EXPECT_ERRNO(SYS(writev, fd, (void *)8, 1), EFAULT);
    EXPECT_ERRNO(SYS(writev, fd, huge, 2), EINVAL);
    EXPECT_ERRNO(SYS(writev, fd, bad + 1, 1), EFAULT);
    n = SYS(writev, fd, bad, 2);
    EXPECT(n == 2 || (n == -1 && errno == EFAULT));
}

TEST(preadv_pwritev, "preadv pwritev")
{
    char a[3] = {0}, b[8] = {0};
    struct iovec in[] = {{a, 2}, {b, 7}}, out[] = {IOV_TEXT("XY"), IOV_TEXT("Z")};
    int fd = open_text("0123456789");

    EXPECT_EQ(SYS(preadv, fd, in, 2, 4, 0), 6);
    EXPECT_STREQ(a, "45");
    EXPECT_STREQ(b, "6789");
    EXPECT_EQ(SYS(pwritev, fd, out, 2, 1, 0), 3);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(SYS(preadv, fd, in, 2, 0, 0), 9);
    EXPECT_STREQ(a, "0X");
    EXPECT_MEMEQ(b, "YZ45678", 7);
}

TEST(preadv_errors, "preadv:EINVAL,EBADF,ESPIPE,EFAULT pwritev:EINVAL,EBADF,ESPIPE,EFAULT")
{
    char a[3];
    struct iovec iov[] = {{a, 2}};
    int fd = open_text("0123456789"), ends[2];

    EXPECT_ERRNO(SYS(preadv, fd, iov, 1, -1, -1), EINVAL);
    EXPECT_ERRNO(SYS(pwritev, fd, iov, 1, -1, -1), EINVAL);
    EXPECT_ERRNO(SYS(preadv, -1, iov, 1, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(pwritev, -1, iov, 1, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(preadv, fd, (void *)8, 1, 0, 0), EFAULT);
    EXPECT_ERRNO(SYS(pwritev, fd, (void *)8, 1, 0, 0), EFAULT);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(preadv, ends[0], iov, 1, 0, 0), ESPIPE);
    EXPECT_ERRNO(SYS(pwritev, ends[1], iov, 1, 0, 0), ESPIPE);
}

TEST(preadv2_pwritev2, "preadv2 preadv2:EOPNOTSUPP pwritev2")
{
    char a[4] = {0};
    struct iovec iov[] = {{a, 3}}, out[] = {IOV_TEXT("AB")};
    int fd = open_text("0123456789");

    NEEDS(preadv2);
    NEEDS(pwritev2);
    EXPECT_EQ(SYS(preadv2, fd, iov, 1, 2, 0, 0), 3);
    EXPECT_STREQ(a, "234");
    /* An offset of -1 is the file's own position. */
    EXPECT_EQ(SYS(preadv2, fd, iov, 1, -1, -1, 0), 3);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 3);
    EXPECT_EQ(SYS(pwritev2, fd, out, 1, -1, -1, 0), 2);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 5);
    EXPECT_ERRNO(SYS(preadv2, fd, iov, 1, 0, 0, 0x40000000), EOPNOTSUPP);
}

TEST(appending_write, "pwritev2")
{
    struct iovec out[] = {IOV_TEXT("AB")};
    char buf[16] = {0};
    int fd = open_text("0123");

    NEEDS(pwritev2);
    EXPECT_EQ(SYS(pwritev2, fd, out, 1, 0, 0, 0x10 /* RWF_APPEND */), 2);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(SYS(pwritev2, fd, out, 1, -1, -1, 0x10), 2);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_CUR), 8);
    EXPECT_EQ(SYS(pread64, fd, buf, 15, 0), 8);
    EXPECT_STREQ(buf, "0123ABAB");
}

TEST(append_mode, "write pwrite64")
{
    char buf[32];
    int fd = open_text("abc");
    int app = (int)REQUIRE_OK(open("file", O_RDWR | O_APPEND));

    EXPECT_EQ(SYS(lseek, app, 0, SEEK_SET), 0);
    EXPECT_EQ(SYS(write, app, "de", 2), 2);
    EXPECT_EQ(SYS(lseek, app, 0, SEEK_CUR), 5);
    /* On Linux pwrite on such a file appends, whatever the offset. */
    EXPECT_EQ(SYS(pwrite64, app, "f", 1, 0), 1);
    EXPECT_EQ(SYS(pread64, fd, buf, sizeof(buf), 0), 6);
    EXPECT_MEMEQ(buf, "abcdef", 6);
}

TEST(append_two_writers, "write")
{
    char buf[2048];
    int fd = open_text("");
    pid_t pids[2];

    for (int i = 0; i < 2; i++) {
        IN_CHILD(pids[i]) {
            int app = (int)REQUIRE_OK(open("file", O_WRONLY | O_APPEND));

            for (int n = 0; n < 100; n++)
                EXPECT_EQ(SYS(write, app, i ? "bbbb" : "aaaa", 4), 4);
        }
    }
    EXPECT_CHILD_OK(pids[0]);
    EXPECT_CHILD_OK(pids[1]);
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), 800);
    for (int i = 0; i < 800; i += 4)
        EXPECT_MEMEQ(buf + i, buf[i] == 'a' ? "aaaa" : "bbbb", 4);
}

TEST(offset_is_shared, "dup lseek read fork")
{
    char byte = 0;
    int fd = open_text("0123456789"), copy = (int)REQUIRE_OK(SYS(dup, fd));
    int other = (int)REQUIRE_OK(open("file", O_RDONLY));
    pid_t pid;

    EXPECT_EQ(SYS(lseek, fd, 3, SEEK_SET), 3);
    EXPECT_EQ(SYS(lseek, copy, 0, SEEK_CUR), 3);
    EXPECT_EQ(SYS(lseek, other, 0, SEEK_CUR), 0);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(lseek, copy, 2, SEEK_CUR), 5);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(SYS(read, fd, &byte, 1), 1);
    EXPECT_EQ(byte, '5');
}

TEST(dup_lowest, "dup dup:EBADF")
{
    int fd = open_text("abc"), a = (int)SYS(dup, fd), b = (int)SYS(dup, fd);

    EXPECT_EQ(a, fd + 1);
    EXPECT_EQ(b, fd + 2);
    EXPECT_OK(SYS(close, a));
    EXPECT_EQ(SYS(dup, fd), a);
    EXPECT_ERRNO(SYS(dup, -1), EBADF);
    EXPECT_ERRNO(SYS(dup, 999), EBADF);
}

TEST(dup2_dup3, "dup2 dup3 dup2:EBADF dup3:EINVAL,EBADF")
{
    int fd = open_text("abc");
    struct rlimit limit;

    EXPECT_EQ(SYS(dup2, fd, fd), fd);
    EXPECT_EQ(SYS(dup2, fd, 50), 50);
    EXPECT_EQ(SYS(fcntl, 50, F_GETFD), 0);
    EXPECT_EQ(SYS(dup3, fd, 50, O_CLOEXEC), 50);
    EXPECT_EQ(SYS(fcntl, 50, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(dup2, fd, 50), 50);
    EXPECT_EQ(SYS(fcntl, 50, F_GETFD), 0);
    EXPECT_ERRNO(SYS(dup3, fd, fd, 0), EINVAL);
    EXPECT_ERRNO(SYS(dup3, fd, 51, O_APPEND), EINVAL);
    EXPECT_ERRNO(SYS(dup2, -1, 51), EBADF);
    EXPECT_ERRNO(SYS(dup2, 51, 51), EBADF);
    EXPECT_ERRNO(SYS(dup2, fd, -1), EBADF);
    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 60;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
    EXPECT_ERRNO(SYS(dup2, fd, 60), EBADF);
    EXPECT_ERRNO(SYS(dup3, fd, 60, 0), EBADF);
    EXPECT_EQ(SYS(dup2, fd, 59), 59);
}

TEST(fcntl_fd_flags, "fcntl fcntl:EBADF,EINVAL,EMFILE")
{
    int fd = open_text("abc");
    struct rlimit limit;

    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), 0);
    EXPECT_EQ(SYS(fcntl, fd, F_SETFD, FD_CLOEXEC), 0);
    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(SYS(fcntl, fd, F_DUPFD, 70), 70);
    EXPECT_EQ(SYS(fcntl, 70, F_GETFD), 0);
    EXPECT_EQ(SYS(fcntl, fd, F_DUPFD_CLOEXEC, 70), 71);
    EXPECT_EQ(SYS(fcntl, 71, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(SYS(fcntl, -1, F_GETFD), EBADF);
    EXPECT_ERRNO(SYS(fcntl, 72, F_DUPFD, 0), EBADF);
    EXPECT_ERRNO(SYS(fcntl, fd, F_DUPFD, -1), EINVAL);
    EXPECT_ERRNO(SYS(fcntl, fd, 7777, 0), EINVAL);
    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 72;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
    EXPECT_ERRNO(SYS(fcntl, fd, F_DUPFD, 72), EINVAL);
    EXPECT_ERRNO(SYS(fcntl, fd, F_DUPFD, 70), EMFILE);
}

TEST(fcntl_status_flags, "fcntl")
{
    int fd = open_text("abc"), copy = (int)REQUIRE_OK(dup(fd)), ends[2];
    int app = (int)REQUIRE_OK(open("file", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));

    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & ~0100000, O_RDWR);
    /* Creation flags and O_CLOEXEC are not among the status flags. */
    EXPECT_EQ(SYS(fcntl, app, F_GETFL) & ~0100000, O_WRONLY | O_APPEND);
    EXPECT_OK(SYS(fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_CREAT));
    EXPECT_EQ(SYS(fcntl, copy, F_GETFL) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK);
    EXPECT_OK(SYS(fcntl, copy, F_SETFL, 0));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & ~0100000, O_RDWR);
    REQUIRE_OK(pipe(ends));
    EXPECT_EQ(SYS(fcntl, ends[0], F_GETFL), O_RDONLY);
    EXPECT_EQ(SYS(fcntl, ends[1], F_GETFL), O_WRONLY);
}

TEST(fcntl_locks, "fcntl:EAGAIN,EACCES,EINVAL")
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    int fd = open_text("0123456789");
    pid_t pid, owner = getpid();

    EXPECT_OK(SYS(fcntl, fd, F_SETLK, &lock));
    EXPECT_OK(SYS(fcntl, fd, F_SETLK, &lock));
    IN_CHILD(pid) {
        struct flock probe = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};

        EXPECT_EQ(SYS(fcntl, fd, F_SETLK, &probe), -1);
        EXPECT(errno == EAGAIN || errno == EACCES);
        EXPECT_OK(SYS(fcntl, fd, F_GETLK, &probe));
        EXPECT_EQ(probe.l_type, F_WRLCK);
        EXPECT_EQ(probe.l_pid, owner);
        probe = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 1};
        EXPECT_OK(SYS(fcntl, fd, F_SETLK, &probe));
    }
    EXPECT_CHILD_OK(pid);
    lock.l_type = F_UNLCK;
    EXPECT_OK(SYS(fcntl, fd, F_SETLK, &lock));
    lock.l_type = 99;
    EXPECT_ERRNO(SYS(fcntl, fd, F_SETLK, &lock), EINVAL);
}

TEST(flock_basic, "flock flock:EWOULDBLOCK,EINVAL,EBADF")
{
    int fd = open_text("x"), other = (int)REQUIRE_OK(open("file", O_RDONLY));

    EXPECT_OK(SYS(flock, fd, 2 /* LOCK_EX */));
    EXPECT_ERRNO(SYS(flock, other, 1 | 4 /* LOCK_SH | LOCK_NB */), EWOULDBLOCK);
    EXPECT_OK(SYS(flock, fd, 1));
    EXPECT_OK(SYS(flock, other, 1 | 4));
    EXPECT_OK(SYS(flock, fd, 8 /* LOCK_UN */));
    EXPECT_ERRNO(SYS(flock, fd, 0), EINVAL);
    EXPECT_ERRNO(SYS(flock, -1, 1), EBADF);
}

TEST(ioctl_on_file, "ioctl:ENOTTY,EBADF ioctl")
{
    int fd = open_text("abcdef"), n = 0;

    EXPECT_ERRNO(SYS(ioctl, fd, 0x5401 /* TCGETS */, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, -1, 0x5401, &n), EBADF);
    EXPECT_EQ(SYS(lseek, fd, 2, SEEK_SET), 2);
    EXPECT_OK(SYS(ioctl, fd, 0x541b /* FIONREAD */, &n));
    EXPECT_EQ(n, 4);
    EXPECT_OK(SYS(ioctl, fd, 0x5451 /* FIOCLEX */));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    EXPECT_OK(SYS(ioctl, fd, 0x5450 /* FIONCLEX */));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFD), 0);
    n = 1;
    EXPECT_OK(SYS(ioctl, fd, 0x5421 /* FIONBIO */, &n));
    EXPECT_EQ(SYS(fcntl, fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST(sendfile_basic, "sendfile sendfile:EBADF,EINVAL")
{
    char buf[16] = {0};
    long offset = 2;
    int in = open_text("0123456789");
    int out = (int)REQUIRE_OK(open("out", O_RDWR | O_CREAT, 0600));

    NEEDS(sendfile);
    EXPECT_EQ(SYS(sendfile, out, in, &offset, 4), 4);
    EXPECT_EQ(offset, 6);
    EXPECT_EQ(SYS(lseek, in, 0, SEEK_CUR), 0);
    EXPECT_EQ(SYS(sendfile, out, in, NULL, 100), 10);
    EXPECT_EQ(SYS(lseek, in, 0, SEEK_CUR), 10);
    EXPECT_EQ(SYS(pread64, out, buf, 16, 0), 14);
    EXPECT_MEMEQ(buf, "23450123456789", 14);
    EXPECT_ERRNO(SYS(sendfile, -1, in, NULL, 1), EBADF);
    EXPECT_ERRNO(SYS(sendfile, out, -1, NULL, 1), EBADF);
    offset = -1;
    EXPECT_ERRNO(SYS(sendfile, out, in, &offset, 1), EINVAL);
}

TEST(copy_file_range_ranges, "copy_file_range copy_file_range:EINVAL,EISDIR,EBADF,EOVERFLOW,EFBIG,EFAULT")
{
    struct rlimit limit;
    long from = 0, to = 100;
    int in, append, fds[2], dir;
    char buf[8];

    guest_scratch();
    NEEDS(copy_file_range);
    guest_make_file("in", "0123456789");
    in = (int)REQUIRE_OK(SYS(open, "in", O_RDWR));
    /* As long as the file is, however much is asked for: no overlap behind its end. */
    EXPECT_EQ(SYS(copy_file_range, in, &from, in, &to, 1L << 40, 0), 10);
    EXPECT_EQ(from, 10);
    EXPECT_EQ(to, 110);
    from = 0;
    to = 5;
    EXPECT_ERRNO(SYS(copy_file_range, in, &from, in, &to, 6, 0), EINVAL);
    EXPECT_EQ(SYS(copy_file_range, in, &from, in, &to, 5, 0), 5);
    EXPECT_EQ(SYS(pread64, in, buf, 5, 5), 5);
    EXPECT_MEMEQ(buf, "01234", 5);
    from = 200;
    to = 0;
    EXPECT_EQ(SYS(copy_file_range, in, &from, in, &to, 10, 0), 0); /* at the end */
    EXPECT_EQ(SYS(copy_file_range, in, NULL, in, NULL, 0, 0), 0);
    from = 0;
    to = 400;
    EXPECT_EQ(SYS(copy_file_range, in, &from, in, &to, ~0UL >> 1, 0), 110);
    from = 1;
    EXPECT_ERRNO(SYS(copy_file_range, in, &from, in, &to, ~0UL, 0), EOVERFLOW);
    EXPECT_ERRNO(SYS(copy_file_range, in, guest_bad_page(), in, &to, 1, 0), EFAULT);
    append = (int)REQUIRE_OK(SYS(open, "out", O_WRONLY | O_APPEND | O_CREAT, 0600));
    EXPECT_ERRNO(SYS(copy_file_range, in, NULL, append, NULL, 1, 0), EBADF);
    EXPECT_ERRNO(SYS(copy_file_range, append, NULL, in, NULL, 1, 0), EBADF);
    dir = (int)REQUIRE_OK(SYS(open, ".", O_RDONLY | O_DIRECTORY));
    EXPECT_ERRNO(SYS(copy_file_range, dir, NULL, in, NULL, 1, 0), EISDIR);
    REQUIRE_OK(SYS(pipe2, fds, 0));
    EXPECT_ERRNO(SYS(copy_file_range, fds[0], NULL, in, NULL, 1, 0), EINVAL);
    guest_on_signal(SIGXFSZ, guest_count_signal, 0);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 1000;
    REQUIRE_OK(setrlimit(RLIMIT_FSIZE, &limit));
    from = 0;
    to = 995;
    EXPECT_EQ(SYS(copy_file_range, in, &from, in, &to, 10, 0), 5);
    EXPECT_EQ(guest_signals, 0);
    EXPECT_ERRNO(SYS(copy_file_range, in, &from, in, &to, 10, 0), EFBIG);
    EXPECT_EQ(guest_signals, 1);
}

TEST(copy_file_range_basic, "copy_file_range copy_file_range:EBADF,EINVAL")
{
    char buf[16] = {0};
    long from = 5, to = 1;
    int in = open_text("0123456789");
    int out = (int)REQUIRE_OK(open("out", O_RDWR | O_CREAT, 0600));

    NEEDS(copy_file_range);
    EXPECT_EQ(SYS(copy_file_range, in, &from, out, &to, 3, 0), 3);
    EXPECT_EQ(from, 8);
    EXPECT_EQ(to, 4);
    EXPECT_EQ(SYS(pread64, out, buf, 16, 0), 4);
    EXPECT_MEMEQ(buf, "\0" "567", 4);
    EXPECT_ERRNO(SYS(copy_file_range, in, NULL, out, NULL, 1, 1), EINVAL);
    EXPECT_ERRNO(SYS(copy_file_range, -1, NULL, out, NULL, 1, 0), EBADF);
}
