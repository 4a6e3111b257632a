/*
 * The framework of the guest tests: small static programs that run natively on Linux, where their
 * expectations are proved, and then unchanged inside a container. They speak TAP on stdout.
 *
 *     TEST(read_at_eof, "read")                  the name, and which system calls it covers
 *     {
 *         int fd = REQUIRE_OK(SYS(open, "file", O_RDWR | O_CREAT, 0600));
 *         EXPECT_EQ(SYS(read, fd, buf, 8), 0);
 *     }
 *
 *     TEST(read_bad_fd, "read:EBADF")            … here with the error that it provokes
 *
 * Each test runs in a child of its own with a deadline, so a crash or a hang is one failure. All
 * that the framework itself asks of the kernel is fork, wait4, kill, setpgid, alarm, write.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define GUEST_SECONDS 30

struct guest_test {
    const char *name;
    const char *covers;
    unsigned int seconds;
    int line;
    void (*run)(void);
    struct guest_test *next;
};

struct guest_helper {
    const char *name;
    int (*run)(int argc, char **argv);
    struct guest_helper *next;
};

/* The program's own absolute path, for tests that execute it again. */
extern const char *guest_self;

/* guest_register() - add a test, kept in the order of the source's lines; called by TEST */
void guest_register(struct guest_test *test);

/* guest_register_helper() - add what `--helper NAME ARGS` runs; called by HELPER */
void guest_register_helper(struct guest_helper *helper);

/* guest_check() - count a failure and print its text unless ok. Return: ok */
bool guest_check(bool ok, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* guest_diag() - print one TAP comment line */
void guest_diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* guest_finish() - end this test's or test's child's process with what was counted */
void guest_finish(void) __attribute__((noreturn));

/* guest_skip() - end the test as skipped, for the test's own process only; use SKIP */
void guest_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* guest_needs() - skip the test if a call with nonsense for arguments gives ENOSYS; use NEEDS */
void guest_needs(const char *name, long number);

/* guest_fork() - fork, with the failures counted so far forgotten in the child. Return: as fork */
pid_t guest_fork(void);

/* guest_wait() - wait for pid. Return: its wait status, or -1 */
int guest_wait(pid_t pid);

/* guest_end() - kill pid by SIGKILL and reap it */
void guest_end(pid_t pid);

/*
 * guest_pester() - send signo to the calling process every ms milliseconds, so that a call that
 * blocks is surely interrupted in it. Return: the sender, to be stopped by guest_end()
 */
pid_t guest_pester(int signo, unsigned int ms);

/* guest_sleep_ms() - sleep for at least ms milliseconds, whatever signals arrive */
void guest_sleep_ms(unsigned int ms);

/* guest_now_ns() - CLOCK_MONOTONIC in nanoseconds */
int64_t guest_now_ns(void);

/* guest_scratch() - make an empty directory for this test and go there; removed afterwards */
const char *guest_scratch(void);

/* guest_scratch_on() - the same in one of GUEST_TMPFS_PLACES. Return: its path, or NULL */
const char *guest_scratch_on(const char *base);
#define GUEST_TMPFS_PLACES "/dev/shm", "/tmp", "/run"

/* guest_make_file() - create or overwrite a file with this text */
void guest_make_file(const char *path, const char *text);

/* guest_slurp() - read a whole file of at most size - 1 bytes. Return: its length, or -1 */
ssize_t guest_slurp(const char *path, char *buf, size_t size);

/* guest_shared() - size bytes of zeroed memory that children share */
void *guest_shared(size_t size);

/* guest_bad_page() - two pages, the second inaccessible. Return: the address of the second */
char *guest_bad_page(void);

/* guest_on_signal() - install handler for signo with sa_flags and an empty mask */
void guest_on_signal(int signo, void (*handler)(int), int sa_flags);

/* guest_count_signal() - a handler that counts in guest_signals */
void guest_count_signal(int signo);
extern volatile int guest_signals;

/* guest_has_cap() - whether capability number cap is effective */
bool guest_has_cap(int cap);

/* guest_sandboxed() - whether uname() speaks as the sandbox's kernel does */
bool guest_sandboxed(void);

/* guest_operations() - how often a load is to repeat: GUEST_OPS or --ops, else fallback */
unsigned long guest_operations(unsigned long fallback);

#define TEST(id, ...) GUEST_TEST_(id, GUEST_SECONDS, "" __VA_ARGS__)

/* A test that may take longer than GUEST_SECONDS. */
#define TEST_SLOW(id, seconds, ...) GUEST_TEST_(id, seconds, "" __VA_ARGS__)

#define GUEST_TEST_(id, secs, cover_text)                                                          \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void guest_add_##id(void)                                  \
    {                                                                                              \
        static struct guest_test entry = {#id, cover_text, secs, __LINE__, test_##id, NULL};       \
        guest_register(&entry);                                                                    \
    }                                                                                              \
    static void test_##id(void)

/*
 * What `--helper id ARGS` of the same program runs; argv[0] is its name, the result the status.
 * GUEST_HELPER=id in the environment does the same with the arguments as they are.
 */
#define HELPER(id)                                                                                 \
    static int helper_##id(int argc, char **argv);                                                 \
    __attribute__((constructor)) static void guest_add_helper_##id(void)                           \
    {                                                                                              \
        static struct guest_helper entry = {#id, helper_##id, NULL};                               \
        guest_register_helper(&entry);                                                             \
    }                                                                                              \
    static int helper_##id(int argc __attribute__((unused)), char **argv __attribute__((unused)))

/* SYS(read, fd, buf, n): the bare system call; all arguments are widened to long. */
#define SYS(name, ...) SYS_NR(__NR_##name, ##__VA_ARGS__)
#define SYS_NR(...)    GUEST_PICK_(__VA_ARGS__, 6, 5, 4, 3, 2, 1, 0, )(__VA_ARGS__)
#define GUEST_PICK_(nr, a, b, c, d, e, f, n, ...) GUEST_SYS##n##_

#define GUEST_L_(x)                        ((long)(x))
#define GUEST_SYS0_(n)                     syscall(n)
#define GUEST_SYS1_(n, a)                  syscall(n, GUEST_L_(a))
#define GUEST_SYS2_(n, a, b)               syscall(n, GUEST_L_(a), GUEST_L_(b))
#define GUEST_SYS3_(n, a, b, c)            syscall(n, GUEST_L_(a), GUEST_L_(b), GUEST_L_(c))
#define GUEST_SYS4_(n, a, b, c, d)                                                                 \
    syscall(n, GUEST_L_(a), GUEST_L_(b), GUEST_L_(c), GUEST_L_(d))
#define GUEST_SYS5_(n, a, b, c, d, e)                                                              \
    syscall(n, GUEST_L_(a), GUEST_L_(b), GUEST_L_(c), GUEST_L_(d), GUEST_L_(e))
#define GUEST_SYS6_(n, a, b, c, d, e, f)                                                           \
    syscall(n, GUEST_L_(a), GUEST_L_(b), GUEST_L_(c), GUEST_L_(d), GUEST_L_(e), GUEST_L_(f))

#define EXPECT(cond) guest_check((cond), __FILE__, __LINE__, "%s", #cond)

#define GUEST_COMPARE_(a, op, b, a_text, b_text)                                                   \
    __extension__({                                                                                \
        long long left_ = (long long)(a), right_ = (long long)(b);                                 \
        guest_check(left_ op right_, __FILE__, __LINE__, "%s " #op " %s: %lld (0x%llx), %lld",     \
                    a_text, b_text, left_, left_, right_);                                         \
    })
#define EXPECT_EQ(a, b) GUEST_COMPARE_(a, ==, b, #a, #b)
#define EXPECT_NE(a, b) GUEST_COMPARE_(a, !=, b, #a, #b)
#define EXPECT_LT(a, b) GUEST_COMPARE_(a, <, b, #a, #b)
#define EXPECT_LE(a, b) GUEST_COMPARE_(a, <=, b, #a, #b)
#define EXPECT_GT(a, b) GUEST_COMPARE_(a, >, b, #a, #b)
#define EXPECT_GE(a, b) GUEST_COMPARE_(a, >=, b, #a, #b)

#define EXPECT_STREQ(a, b)                                                                         \
    __extension__({                                                                                \
        const char *left_ = (a), *right_ = (b);                                                    \
        guest_check(strcmp(left_, right_) == 0, __FILE__, __LINE__, "%s is \"%.200s\", not %s",    \
                    #a, left_, #b);                                                                \
    })
#define EXPECT_MEMEQ(a, b, n)                                                                      \
    guest_check(memcmp((a), (b), (n)) == 0, __FILE__, __LINE__, "%s differs from %s", #a, #b)

/* A call that gives -1 and errno on failure: expect success; the value is the call's. */
#define EXPECT_OK(call)                                                                            \
    __extension__({                                                                                \
        long got_ = (long)(call);                                                                  \
        guest_check(got_ != -1, __FILE__, __LINE__, "%s: %s", #call, strerror(errno));             \
        got_;                                                                                      \
    })

/* … expect it to fail with this errno. */
#define EXPECT_ERRNO(call, err)                                                                    \
    __extension__({                                                                                \
        errno = 0;                                                                                 \
        long got_ = (long)(call);                                                                  \
        int saved_ = errno;                                                                        \
        guest_check(got_ == -1 && saved_ == (err), __FILE__, __LINE__,                             \
                    "%s: %ld, errno %d (%s), not " #err, #call, got_, saved_, strerror(saved_));   \
    })

/* What the rest of the test cannot do without: give up when it fails. */
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!EXPECT(cond))                                                                         \
            guest_finish();                                                                        \
    } while (0)
#define REQUIRE_OK(call)                                                                           \
    __extension__({                                                                                \
        long value_ = (long)(call);                                                                \
        if (!guest_check(value_ != -1, __FILE__, __LINE__, "%s: %s", #call, strerror(errno)))      \
            guest_finish();                                                                        \
        value_;                                                                                    \
    })

#define SKIP(...) guest_skip(__VA_ARGS__)

/* NEEDS(splice): skip the test where this call is not built at all; for newer and rarer ones. */
#define NEEDS(name) guest_needs(#name, __NR_##name)

/* IN_CHILD(pid) { … }: run the block in a child that then exits 0, or 1 if it had failures. */
#define IN_CHILD(pid) for ((pid) = guest_fork(); guest_is_zero(pid); guest_finish())

static inline bool guest_is_zero(pid_t pid)
{
    return pid == 0;
}

/* Wait for a child and check how it ended. */
#define EXPECT_EXIT(pid, code)                                                                     \
    __extension__({                                                                                \
        int status_ = guest_wait(pid);                                                             \
        guest_check(status_ == ((code) << 8), __FILE__, __LINE__,                                  \
                    "%s: wait status 0x%x, not exit " #code, #pid, (unsigned int)status_);         \
    })
#define EXPECT_KILLED(pid, signo)                                                                  \
    __extension__({                                                                                \
        int status_ = guest_wait(pid);                                                             \
        guest_check((status_ & 0x7f) == (signo) && status_ != -1, __FILE__, __LINE__,              \
                    "%s: wait status 0x%x, not " #signo, #pid, (unsigned int)status_);             \
    })
#define EXPECT_CHILD_OK(pid) EXPECT_EXIT(pid, 0)

/* Poll until cond, which may be evaluated any number of times, for ten seconds at most. */
#define WAIT_UNTIL(cond)                                                                           \
    __extension__({                                                                                \
        int tries_ = 0;                                                                            \
        while (!(cond) && tries_++ < 10000)                                                        \
            guest_sleep_ms(1);                                                                     \
        guest_check((cond), __FILE__, __LINE__, "never: %s", #cond);                               \
    })

/* An element of a vector to be written: a literal without its end. */
#define IOV_TEXT(text) {(void *)(text), sizeof(text) - 1}

/* A pointer to anywhere, of which the compiler draws no conclusions. */
static inline volatile char *guest_pointer(uintptr_t address)
{
    __asm__("" : "+r"(address));
    return (volatile char *)address;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
