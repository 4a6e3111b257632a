/*
 * The guest tests' main program and helpers.
 *
 * main() forks once per test; the child runs the test in a process group of its own and exits
 * 0 (passed), 1 (failed) or 77 (skipped, after printing its own TAP line). The deadline is an
 * alarm in the parent whose handler kills the child's group, so there is no moment at which it
 * could be missed, and no test can lose it by using SIGALRM itself.
 */
#include "tests/guest/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define EXIT_SKIPPED       77
#define MAX_FAILURES_SHOWN 20

const char *guest_self = "/proc/self/exe";
volatile int guest_signals;

static struct guest_test *tests;
static struct guest_helper *helpers;
static const char *area_name = "?";
static int failures;
static bool in_test;
static int out_fd = STDOUT_FILENO;

static struct {
    int number;
    const char *name;
    volatile pid_t pid;
    volatile bool timed_out;
    char scratch[128];
} running;

void guest_register(struct guest_test *test)
{
    struct guest_test **at = &tests;

    while (*at && (*at)->line < test->line)
        at = &(*at)->next;
    test->next = *at;
    *at = test;
}

void guest_register_helper(struct guest_helper *helper)
{
    helper->next = helpers;
    helpers = helper;
}

/* print_line() - one line, cut where it is too long, in one write */
static void print_line(const char *prefix, const char *format, va_list args)
{
    char line[1024];
    size_t used = (size_t)snprintf(line, sizeof(line), "%s", prefix);
    int more = vsnprintf(line + used, sizeof(line) - used - 1, format, args);

    if (more < 0)
        more = 0;
    used += (size_t)more;
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    for (size_t i = 0; i < used; i++) {
        if (line[i] == '\n')
            line[i] = ' ';
    }
    line[used++] = '\n';
    for (size_t done = 0; done < used;) {
        ssize_t n = write(out_fd, line + done, used - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line("", format, args);
    va_end(args);
}

void guest_diag(const char *format, ...)
{
    int saved = errno;
    va_list args;

    va_start(args, format);
    print_line("# ", format, args);
    va_end(args);
    errno = saved;
}

bool guest_check(bool ok, const char *file, int line, const char *format, ...)
{
    int saved = errno;
    char text[800];
    va_list args;

    if (ok)
        return true;
    if (++failures > MAX_FAILURES_SHOWN)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    file = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    guest_diag("%s:%d: %s", file, line, text);
    errno = saved;
    return false;
}

void guest_finish(void)
{
    _exit(failures ? 1 : 0);
}

void guest_skip(const char *format, ...)
{
    char why[300];
    va_list args;

    if (failures)
        guest_finish();
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    if (!in_test || getpid() != running.pid) {
        guest_check(false, __FILE__, __LINE__, "a test's child cannot skip: %s", why);
        guest_finish();
    }
    say("ok %d - %s # SKIP %s", running.number, running.name, why);
    _exit(EXIT_SKIPPED);
}

void guest_needs(const char *name, long number)
{
    if (syscall(number, -1l, -1l, -1l, -1l, -1l, -1l) == -1 && errno == ENOSYS)
        guest_skip("no %s", name);
}

pid_t guest_fork(void)
{
    pid_t pid = fork();

    if (pid < 0) {
        guest_check(false, __FILE__, __LINE__, "fork: %s", strerror(errno));
        guest_finish();
    }
    if (pid == 0)
        failures = 0;
    return pid;
}

int guest_wait(pid_t pid)
{
    int status;
    pid_t got;

    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    return got == pid ? status : -1;
}

void guest_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    guest_wait(pid);
}

pid_t guest_pester(int signo, unsigned int ms)
{
    pid_t victim = getpid();
    pid_t pid = guest_fork();

    if (pid != 0)
        return pid;
    /* The group dies with the test; the check is for a test that left its own group. */
    for (int i = 0; i < 100000 && kill(victim, 0) == 0; i++) {
        guest_sleep_ms(ms);
        kill(victim, signo);
    }
    _exit(0);
}

void guest_sleep_ms(unsigned int ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

int64_t guest_now_ns(void)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* scratch_base() - where tests without a wish of their own get their directory */
static const char *scratch_base(void)
{
    const char *base = getenv("GUEST_DIR");

    return base ? base : "/tmp";
}

const char *guest_scratch_on(const char *base)
{
    static char path[256];

    snprintf(path, sizeof(path), "%.120s/%s", base, running.scratch);
    if (mkdir(path, 0755) < 0)
        return NULL;
    REQUIRE_OK(chdir(path));
    return path;
}

const char *guest_scratch(void)
{
    const char *path = guest_scratch_on(scratch_base());

    if (!guest_check(path, __FILE__, __LINE__, "no scratch directory: %s", strerror(errno)))
        guest_finish();
    return path;
}

void guest_make_file(const char *path, const char *text)
{
    int fd = (int)REQUIRE_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

    REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

ssize_t guest_slurp(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t n;

    buf[0] = '\0';
    if (fd < 0)
        return -1;
    while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
        used += (size_t)n;
    buf[used] = '\0';
    close(fd);
    return (ssize_t)used;
}

void *guest_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

char *guest_bad_page(void)
{
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    REQUIRE_OK(mprotect(p + 4096, 4096, PROT_NONE));
    return p + 4096;
}

void guest_on_signal(int signo, void (*handler)(int), int sa_flags)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_handler = handler;
    act.sa_flags = sa_flags;
    REQUIRE_OK(sigaction(signo, &act, NULL));
}

void guest_count_signal(int signo)
{
    (void)signo;
    guest_signals++;
}

bool guest_has_cap(int cap)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    memset(data, 0, sizeof(data));
    if (SYS(capget, &head, data) < 0)
        return geteuid() == 0;
    return data[cap / 32].effective >> (cap % 32) & 1;
}

bool guest_sandboxed(void)
{
    struct utsname name;

    return uname(&name) == 0 && strcmp(name.version, "#1 SMP Sun Jan 10 15:06:54 PST 2016") == 0;
}

unsigned long guest_operations(unsigned long fallback)
{
    const char *text = getenv("GUEST_OPS");
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;

    return value ? value : fallback;
}

/* remove_tree() - delete a directory, whatever modes, depths and lengths a test has left in it */
static void remove_tree(int parent, const char *name, int depth)
{
    struct dirent *entry;
    DIR *dir;
    int fd;

    fchmodat(parent, name, 0700, 0);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    dir = fd >= 0 && depth < 100 ? fdopendir(fd) : NULL;
    while (dir && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (unlinkat(fd, entry->d_name, 0) < 0)
            remove_tree(fd, entry->d_name, depth + 1);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* remove_scratch() - the test's directory, wherever it asked for it */
static void remove_scratch(void)
{
    const char *const bases[] = {scratch_base(), GUEST_TMPFS_PLACES};
    char path[256];

    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        snprintf(path, sizeof(path), "%.120s/%s", bases[i], running.scratch);
        if (access(path, F_OK) == 0)
            remove_tree(AT_FDCWD, path, 0);
    }
}

static void on_deadline(int signo)
{
    int saved = errno;

    (void)signo;
    running.timed_out = true;
    kill(-running.pid, SIGKILL);
    kill(running.pid, SIGKILL);
    errno = saved;
}

/* run_child() - the test's own process */
static void run_child(const struct guest_test *test)
{
    setpgid(0, 0);
    signal(SIGALRM, SIG_DFL);
    running.pid = getpid();
    in_test = true;
    failures = 0;
    test->run();
    guest_finish();
}

/* run_test() - one test, one TAP line. Return: whether it passed or was skipped */
static bool run_test(const struct guest_test *test, int number)
{
    int status;
    pid_t pid;

    running.number = number;
    running.name = test->name;
    running.timed_out = false;
    snprintf(running.scratch, sizeof(running.scratch), "guest.%.64s.%d.%d", area_name,
             (int)getpid(), number);
    pid = fork();
    if (pid == 0)
        run_child(test);
    if (pid < 0) {
        say("not ok %d - %s", number, test->name);
        guest_diag("fork: %s", strerror(errno));
        return false;
    }
    setpgid(pid, pid);
    running.pid = pid;
    alarm(test->seconds);
    status = guest_wait(pid);
    alarm(0);
    kill(-pid, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    remove_scratch();

    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
        return true;
    if (status == 0) {
        say("ok %d - %s", number, test->name);
        return true;
    }
    if (running.timed_out)
        guest_diag("%s: still running after %u seconds", test->name, test->seconds);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
        guest_diag("%s: wait status 0x%x", test->name, (unsigned int)status);
    say("not ok %d - %s", number, test->name);
    return false;
}

/* selected() - whether a test is named by the arguments: itself, or a prefix that ends in '*' */
static bool selected(const struct guest_test *test, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]);

        if (strcmp(argv[i], test->name) == 0)
            return true;
        if (length && argv[i][length - 1] == '*' && !strncmp(argv[i], test->name, length - 1))
            return true;
    }
    return argc == 0;
}

/* print_coverage() - a line `syscall outcome area.test` for each word of each test's list */
static void print_coverage(void)
{
    for (struct guest_test *test = tests; test; test = test->next) {
        char words[512], *rest = words, *word;

        snprintf(words, sizeof(words), "%s", test->covers);
        while ((word = strsep(&rest, " "))) {
            const char *name = strsep(&word, ":"), *outcome;

            if (!word && *name)
                say("%s ok %s.%s", name, area_name, test->name);
            while (word && (outcome = strsep(&word, ",")))
                say("%s %s %s.%s", name, outcome, area_name, test->name);
        }
    }
}

/* find_self() - learn the program's path before any test changes the directory */
static void find_self(const char *arg0)
{
    static char path[4096];
    char cwd[2048];

    area_name = strrchr(arg0, '/') ? strrchr(arg0, '/') + 1 : arg0;
    if (arg0[0] == '/')
        snprintf(path, sizeof(path), "%s", arg0);
    else if (strchr(arg0, '/') && getcwd(cwd, sizeof(cwd)))
        snprintf(path, sizeof(path), "%s/%.1900s", cwd, arg0);
    else
        return;
    guest_self = path;
}

/* calm_state() - what a caller may have left in us and a test must not inherit */
static void calm_state(void)
{
    sigset_t none;
    int fd;

    for (int signo = 1; signo < 32; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 200);
    if (fd >= 0)
        out_fd = fd;
    guest_on_signal(SIGALRM, on_deadline, 0);
}

static int run_all(int argc, char **argv)
{
    int number = 0, failed = 0;

    for (struct guest_test *test = tests; test; test = test->next) {
        if (selected(test, argc, argv) && !run_test(test, ++number))
            failed++;
    }
    say("1..%d", number);
    if (number == 0)
        guest_diag("no such test");
    return failed || number == 0;
}

static int run_helper(const char *name, int argc, char **argv)
{
    for (struct guest_helper *helper = helpers; helper; helper = helper->next) {
        if (strcmp(helper->name, name) == 0)
            return helper->run(argc, argv);
    }
    return 127;
}

int main(int argc, char **argv)
{
    int first = 1;

    find_self(argc > 0 ? argv[0] : "");
    if (getenv("GUEST_HELPER"))
        return run_helper(getenv("GUEST_HELPER"), argc, argv);
    if (argc > 2 && !strcmp(argv[1], "--helper"))
        return run_helper(argv[2], argc - 2, argv + 2);
    for (; first < argc && !strncmp(argv[first], "--", 2); first++) {
        if (!strcmp(argv[first], "--list")) {
            for (struct guest_test *test = tests; test; test = test->next)
                say("%s", test->name);
            return 0;
        } else if (!strcmp(argv[first], "--coverage")) {
            print_coverage();
            return 0;
        } else if (!strcmp(argv[first], "--ops") && first + 1 < argc) {
            setenv("GUEST_OPS", argv[++first], 1);
        } else if (!strcmp(argv[first], "--sandbox")) {
            if (!guest_sandboxed()) {
                say("Bail out! not in the sandbox");
                return 2;
            }
        } else {
            say("usage: %s [--list] [--coverage] [--sandbox] [--ops N] [TEST|PREFIX*]...", argv[0]);
            return 2;
        }
    }
    calm_state();
    return run_all(argc - first, argv + first);
}
