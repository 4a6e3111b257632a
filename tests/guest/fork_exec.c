/*
 * Making processes and executing programs. Free of threads; built as a plain static program and
 * once more as a static PIE, which shows that both are loaded.
 */
#include "tests/guest/guest.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

/* Exits with argc, or with 100 and more where the arguments are not "1", "2", … */
HELPER(count_args)
{
    for (int i = 1; i < argc; i++) {
        if (strtol(argv[i], NULL, 10) != i)
            return 100 + i;
    }
    return argc;
}

/* Is what its second argument says in the environment, and nothing else? */
HELPER(check_env)
{
    int n = 0;

    while (environ[n])
        n++;
    return n == 1 && argc > 1 && !strcmp(environ[0], argv[1]) ? 0 : 1;
}

HELPER(is_bare)
{
    return argc == 1 && argv[0][0] == '\0' && !argv[1] ? 0 : 1;
}

/* Which of the descriptors 0..31 are open, as the sum of what was named */
HELPER(check_fds)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        int fd = (int)strtol(argv[i], NULL, 10);
        bool open = fcntl(fd, F_GETFD) >= 0;

        if (open != (argv[i + 1][0] == '+'))
            return i;
    }
    return 0;
}

/* Signal 10's disposition, 12's, and the mask's bit for 12, as bits of the status */
HELPER(signal_state)
{
    struct sigaction act;
    sigset_t mask;
    int status = 0;

    sigaction(SIGUSR1, NULL, &act);
    status |= act.sa_handler == SIG_IGN ? 1 : 0;
    sigaction(SIGUSR2, NULL, &act);
    status |= act.sa_handler == SIG_DFL ? 2 : 0;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    status |= sigismember(&mask, SIGTERM) ? 4 : 0;
    sigpending(&mask);
    status |= sigismember(&mask, SIGTERM) ? 8 : 0;
    return status;
}

HELPER(print_argv)
{
    for (int i = 0; i < argc; i++) {
        if (write(STDOUT_FILENO, argv[i], strlen(argv[i])) < 0 || write(STDOUT_FILENO, "|", 1) < 0)
            return 1;
    }
    return 0;
}

/* What the kernel put onto the stack */
HELPER(check_auxv)
{
    unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
    const char *name = (const char *)getauxval(AT_EXECFN);
    Elf64_Phdr *phdr = (Elf64_Phdr *)getauxval(AT_PHDR);
    int load = 0, bits = 0;

    if (getauxval(AT_PAGESZ) != 4096 || getauxval(AT_CLKTCK) != 100)
        return 1;
    if (!random || !name || !phdr || getauxval(AT_PHENT) != sizeof(Elf64_Phdr))
        return 2;
    for (int i = 0; i < 16; i++)
        bits |= random[i];
    if (bits == 0)
        return 3;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        load += phdr[i].p_type == PT_LOAD;
    if (load == 0 || getauxval(AT_ENTRY) == 0)
        return 4;
    if (getauxval(AT_UID) != getuid() || getauxval(AT_EGID) != getegid() || getauxval(AT_SECURE))
        return 5;
    return argc > 1 && strcmp(name, argv[1]) ? 6 : 0;
}

/* run_helper() - execute this program's helper with these arguments. Return: wait status */
static int run_helper(const char *const args[], const char *const env[])
{
    pid_t pid;

    IN_CHILD(pid) {
        SYS(execve, guest_self, args, env);
        guest_diag("execve: %s", strerror(errno));
        _exit(99);
    }
    return guest_wait(pid);
}

#define ENVIRON ((const char *const *)environ)
#define LIST(...) ((const char *[]){__VA_ARGS__})
#define ARGS(...) LIST("self", "--helper", __VA_ARGS__, NULL)

TEST(fork_basic, "fork exit exit_group wait4")
{
    int local = 1, status = 0;
    pid_t parent = getpid(), pid = (pid_t)SYS(fork);

    if (pid == 0) {
        local = 2;
        SYS(exit_group, getppid() == parent && getpid() != parent ? 7 : 8);
    }
    EXPECT_GT(pid, 0);
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, 7 << 8);
    EXPECT_EQ(local, 1);
    pid = (pid_t)SYS(fork);
    if (pid == 0)
        SYS(exit, 0x1ff);
    EXPECT_EQ(SYS(wait4, pid, &status, 0, NULL), pid);
    EXPECT_EQ(status, 0xff << 8);
}

TEST(fork_memory_is_private, "fork")
{
    static volatile int data = 1;
    volatile int *heap = malloc(1 << 20);
    pid_t pid;

    REQUIRE(heap);
    heap[100] = 5;
    IN_CHILD(pid) {
        EXPECT_EQ(heap[100], 5);
        data = 2;
        heap[100] = 6;
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(data, 1);
    EXPECT_EQ(heap[100], 5);
}

TEST(fork_many, "fork wait4")
{
    pid_t pids[60];
    int sum = 0;

    for (int i = 0; i < 60; i++) {
        IN_CHILD(pids[i]) {
            _exit(i);
        }
    }
    for (int i = 59; i >= 0; i--)
        sum += WEXITSTATUS(guest_wait(pids[i]));
    EXPECT_EQ(sum, 59 * 60 / 2);
}

TEST(fork_deep, "fork")
{
    pid_t pid = 0;
    int depth = 0;

    while (depth < 15) {
        pid = guest_fork();
        if (pid != 0)
            break;
        depth++;
    }
    if (pid == 0)
        _exit(1);
    EXPECT_EQ(guest_wait(pid), 1 << 8);
    if (depth > 0)
        _exit(1);
}

TEST(fork_copies_pending_not, "fork rt_sigpending")
{
    sigset_t set;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    IN_CHILD(pid) {
        sigset_t pending;

        sigpending(&pending);
        EXPECT(!sigismember(&pending, SIGUSR1));
        sigprocmask(SIG_BLOCK, NULL, &pending);
        EXPECT(sigismember(&pending, SIGUSR1));
    }
    EXPECT_CHILD_OK(pid);
    sigpending(&set);
    EXPECT(sigismember(&set, SIGUSR1));
}

TEST(vfork_suspends_parent, "vfork")
{
    volatile int *shared = guest_shared(4096);
    pid_t pid = vfork();

    if (pid == 0) {
        /* Only calls without frames of their own that outlive them: the stack is the parent's. */
        for (volatile int i = 0; i < 1000000; i++)
            continue;
        *shared = 1;
        _exit(3);
    }
    EXPECT_EQ(*shared, 1);
    EXPECT_EXIT(pid, 3);
}

TEST(vfork_shares_memory, "vfork")
{
    static volatile int value = 1;
    pid_t pid = vfork();

    if (pid == 0) {
        value = 42;
        _exit(0);
    }
    EXPECT_EQ(value, 42);
    EXPECT_EXIT(pid, 0);
}

TEST(vfork_exec, "vfork execve")
{
    const char **args = ARGS("count_args", "1", "2");
    pid_t pid = vfork();

    if (pid == 0) {
        SYS(execve, guest_self, args, ENVIRON);
        _exit(99);
    }
    EXPECT_EXIT(pid, 3);
}

TEST(vfork_killed, "vfork kill")
{
    pid_t pid = vfork();

    if (pid == 0) {
        SYS(kill, getpid(), SIGKILL);
        _exit(1);
    }
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(clone_exit_signal, "clone wait4 wait4:ECHILD")
{
    int status;
    pid_t pid;

    guest_on_signal(SIGUSR2, guest_count_signal, 0);
    pid = (pid_t)SYS(clone, SIGUSR2, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(4);
    REQUIRE(pid > 0);
    /* A child whose exit signal is not SIGCHLD is waited for with __WCLONE only. */
    while (guest_signals == 0)
        guest_sleep_ms(1);
    EXPECT_ERRNO(SYS(wait4, pid, &status, 0, NULL), ECHILD);
    EXPECT_EQ(SYS(wait4, pid, &status, __WCLONE, NULL), pid);
    EXPECT_EQ(status, 4 << 8);
    pid = (pid_t)SYS(clone, 0, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(5);
    EXPECT_EQ(SYS(wait4, pid, &status, __WALL, NULL), pid);
    EXPECT_EQ(status, 5 << 8);
    EXPECT_EQ(guest_signals, 1);
}

TEST(clone_shared_files, "clone")
{
    int fd, status;
    pid_t pid = (pid_t)SYS(clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(open("/", O_RDONLY));
    REQUIRE(pid > 0);
    status = guest_wait(pid);
    fd = WEXITSTATUS(status);
    EXPECT_OK(fcntl(fd, F_GETFD));
    pid = (pid_t)SYS(clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(close(fd));
    EXPECT_EXIT(pid, 0);
    EXPECT_ERRNO(fcntl(fd, F_GETFD), EBADF);
}

TEST(clone_shared_fs, "clone chdir umask")
{
    char cwd[64];
    pid_t pid = (pid_t)SYS(clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0) {
        umask(0123);
        _exit(chdir("/dev"));
    }
    EXPECT_EXIT(pid, 0);
    EXPECT_OK(getcwd(cwd, sizeof(cwd)) ? 0 : -1);
    EXPECT_STREQ(cwd, "/dev");
    EXPECT_EQ(umask(0), 0123);
}

TEST(clone_parent_tid, "clone")
{
    int parent_tid = 0, status;
    int *child_tid = guest_shared(4096);
    pid_t pid = (pid_t)SYS(clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL,
                           &parent_tid, child_tid, NULL);

    if (pid == 0)
        _exit(*child_tid == (int)SYS(getpid) && *child_tid == (int)SYS(gettid) ? 0 : 1);
    status = guest_wait(pid);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(parent_tid, pid);
}

TEST(clone_parent_flag, "clone")
{
    pid_t *grandchild = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        pid_t sibling = (pid_t)SYS(clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

        if (sibling == 0)
            _exit(6);
        *grandchild = sibling;
        EXPECT_ERRNO(SYS(wait4, sibling, NULL, 0, NULL), ECHILD);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EXIT(*grandchild, 6);
}

TEST(clone3_basic, "clone3")
{
    uint64_t args[8] = {0};
    int parent_tid = 0;
    long pid;

    NEEDS(clone3);
    /* flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls */
    args[0] = CLONE_PARENT_SETTID;
    args[3] = (uintptr_t)&parent_tid;
    args[4] = SIGCHLD;
    pid = SYS(clone3, args, sizeof(args));
    if (pid == 0)
        _exit(8);
    REQUIRE(pid > 0);
    EXPECT_EQ(parent_tid, pid);
    EXPECT_EXIT((pid_t)pid, 8);
    args[5] = (uintptr_t)args;
    EXPECT_ERRNO(SYS(clone3, args, sizeof(args)), EINVAL);
    args[5] = 0;
    args[4] = 65;
    EXPECT_ERRNO(SYS(clone3, args, sizeof(args)), EINVAL);
}

TEST(clone_errors, "clone:EINVAL clone3:EINVAL,EFAULT,E2BIG")
{
    EXPECT_ERRNO(SYS(clone, CLONE_THREAD, NULL, NULL, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(clone, CLONE_SIGHAND, NULL, NULL, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(clone, CLONE_NEWNS | CLONE_FS, NULL, NULL, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(clone, CLONE_THREAD | CLONE_VM, NULL, NULL, NULL, NULL), EINVAL);
    NEEDS(clone3);
    EXPECT_ERRNO(SYS(clone3, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(clone3, NULL, 64), EFAULT);
    EXPECT_ERRNO(SYS(clone3, NULL, 8192), E2BIG);
}

TEST(exec_args, "execve")
{
    EXPECT_EQ(run_helper(ARGS("count_args", "1", "2", "3"), ENVIRON), 4 << 8);
    EXPECT_EQ(run_helper(ARGS("count_args"), ENVIRON), 1 << 8);
}

TEST(exec_env, "execve")
{
    const char *env[] = {"ONLY=this", NULL};

    EXPECT_EQ(run_helper(ARGS("check_env", "ONLY=this"), env), 0);
}

TEST(exec_null_vectors, "execve")
{
    const char *env[] = {"GUEST_HELPER=is_bare", NULL};

    /* Without an argument vector, or with an empty one, Linux passes one empty string. */
    EXPECT_EQ(run_helper(NULL, env), 0);
    EXPECT_EQ(run_helper(LIST(NULL), env), 0);
    EXPECT_EQ(run_helper(ARGS("count_args", "1"), NULL), 2 << 8);
}

TEST(exec_many_args, "execve")
{
    static char number[3000][8];
    static const char *args[3010];

    args[0] = "self";
    args[1] = "--helper";
    args[2] = "count_args";
    for (int i = 1; i < 3000; i++) {
        snprintf(number[i], sizeof(number[i]), "%d", i);
        args[i + 2] = number[i];
    }
    /* 3000 & 0xff */
    EXPECT_EQ(run_helper(args, ENVIRON), (3000 & 0xff) << 8);
}

TEST(exec_long_arg, "execve execve:E2BIG")
{
    char *text = malloc(140000);
    pid_t pid;

    REQUIRE(text);
    memset(text, '1', 140000);
    /* One string has at most 32 pages, its end included. */
    text[131071] = '\0';
    text[0] = '1';
    memset(text + 1, ' ', 131070);
    EXPECT_EQ(run_helper(ARGS("count_args", text), ENVIRON), 2 << 8);
    memset(text, '1', 140000);
    text[131072] = '\0';
    IN_CHILD(pid) {
        EXPECT_ERRNO(SYS(execve, guest_self, ARGS("count_args", text), ENVIRON), E2BIG);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(exec_too_much, "execve:E2BIG")
{
    static const char *args[102];
    char *text = malloc(131072);

    REQUIRE(text);
    memset(text, 'x', 131071);
    text[131071] = '\0';
    for (int i = 0; i < 100; i++)
        args[i] = text;
    /* 12.5 MiB is more than a quarter of any stack limit, and than the 6 MiB above it. */
    EXPECT_ERRNO(SYS(execve, guest_self, args, ENVIRON), E2BIG);
}

TEST(exec_errors, "execve:ENOENT,ENOTDIR,EACCES,EFAULT,ELOOP,ENAMETOOLONG,ENOEXEC")
{
    static char name[300];
    const char *args[] = {"x", NULL};

    guest_scratch();
    guest_make_file("plain", "not a program");
    guest_make_file("empty", "");
    guest_make_file("garbage", "\177ELgarbage and more of it, so that it is long enough");
    REQUIRE_OK(chmod("empty", 0755));
    REQUIRE_OK(chmod("garbage", 0755));
    REQUIRE_OK(symlink("loop", "loop"));
    memset(name, 'x', sizeof(name) - 1);
    EXPECT_ERRNO(SYS(execve, "missing", args, ENVIRON), ENOENT);
    EXPECT_ERRNO(SYS(execve, "", args, ENVIRON), ENOENT);
    EXPECT_ERRNO(SYS(execve, "plain/x", args, ENVIRON), ENOTDIR);
    EXPECT_ERRNO(SYS(execve, "plain", args, ENVIRON), EACCES);
    EXPECT_ERRNO(SYS(execve, ".", args, ENVIRON), EACCES);
    EXPECT_ERRNO(SYS(execve, "/dev/null", args, ENVIRON), EACCES);
    EXPECT_ERRNO(SYS(execve, "loop", args, ENVIRON), ELOOP);
    EXPECT_ERRNO(SYS(execve, name, args, ENVIRON), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(execve, (void *)8, args, ENVIRON), EFAULT);
    EXPECT_ERRNO(SYS(execve, guest_self, (void *)8, ENVIRON), EFAULT);
    EXPECT_ERRNO(SYS(execve, guest_self, args, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(execve, guest_self, LIST("x", (char *)8, NULL), ENVIRON), EFAULT);
    EXPECT_ERRNO(SYS(execve, "empty", args, ENVIRON), ENOEXEC);
    EXPECT_ERRNO(SYS(execve, "garbage", args, ENVIRON), ENOEXEC);
    /* The file comes first, then the vectors. */
    EXPECT_ERRNO(SYS(execve, "missing", (void *)8, ENVIRON), ENOENT);
}

TEST(execveat_basic, "execveat execveat:EBADF,EINVAL,ENOENT,ELOOP")
{
    int fd = (int)REQUIRE_OK(open(guest_self, O_PATH | O_CLOEXEC));
    pid_t pid;

    NEEDS(execveat);
    IN_CHILD(pid) {
        SYS(execveat, fd, "", ARGS("count_args", "1"), environ, AT_EMPTY_PATH);
        _exit(99);
    }
    EXPECT_EXIT(pid, 2);
    guest_scratch();
    REQUIRE_OK(symlink(guest_self, "link"));
    EXPECT_ERRNO(SYS(execveat, -1, "link", ARGS("x"), environ, 0), EBADF);
    EXPECT_ERRNO(SYS(execveat, AT_FDCWD, "link", ARGS("x"), environ, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(execveat, fd, "", ARGS("x"), environ, 0), ENOENT);
    EXPECT_ERRNO(SYS(execveat, AT_FDCWD, "link", ARGS("x"), environ, AT_SYMLINK_NOFOLLOW), ELOOP);
}

TEST(exec_keeps_fds, "execve fcntl")
{
    int keep = (int)REQUIRE_OK(open("/", O_RDONLY)), drop;

    REQUIRE_OK(dup2(keep, 40));
    drop = (int)REQUIRE_OK(dup3(keep, 41, O_CLOEXEC));
    EXPECT_EQ(drop, 41);
    EXPECT_EQ(run_helper(ARGS("check_fds", "0", "+", "1", "+", "40", "+", "41", "-"), ENVIRON), 0);
}

TEST(exec_resets_handlers, "execve rt_sigaction rt_sigprocmask")
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, guest_count_signal);
    /* Ignored stays, handled becomes default, the mask stays. */
    EXPECT_EQ(run_helper(ARGS("signal_state"), ENVIRON), 7 << 8);
}

TEST(exec_keeps_pending, "execve rt_sigpending")
{
    sigset_t set;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    IN_CHILD(pid) {
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGTERM);
        SYS(execve, guest_self, ARGS("signal_state"), ENVIRON);
    }
    EXPECT_EXIT(pid, (2 | 4 | 8));
}

TEST(exec_keeps_pid_and_cwd, "execve")
{
    const char *dir = guest_scratch();
    char buf[300] = {0}, want[300];
    int ends[2];
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        dup2(ends[1], STDOUT_FILENO);
        SYS(execve, guest_self, ARGS("print_argv", "a b", ""), ENVIRON);
    }
    close(ends[1]);
    /* The helper may write in several pieces. */
    for (ssize_t got = 0, n; (n = read(ends[0], buf + got, sizeof(buf) - 1 - (size_t)got)) > 0;)
        got += n;
    snprintf(want, sizeof(want), "print_argv|a b||");
    EXPECT_STREQ(buf, want);
    EXPECT_CHILD_OK(pid);
    EXPECT(dir != NULL);
}

TEST(exec_auxv, "execve")
{
    EXPECT_EQ(run_helper(ARGS("check_auxv", guest_self), ENVIRON), 0);
}

TEST(exec_drops_mappings, "execve")
{
    /* The new image starts with a fresh heap and fresh data, whatever was here. */
    const char *args[] = {"self", "--helper", "count_args", "1", NULL};
    void *p = mmap((void *)0x10000000000, 1 << 20, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    EXPECT(p == (void *)0x10000000000);
    EXPECT_EQ(run_helper(args, ENVIRON), 2 << 8);
}

/* make_script() - an executable script of one line */
static void make_script(const char *path, const char *format, const char *what)
{
    char text[4500];

    snprintf(text, sizeof(text), format, what);
    guest_make_file(path, text);
    REQUIRE_OK(chmod(path, 0755));
}

/* output_of() - what executing path with these arguments prints, a wait status appended */
static const char *output_of(const char *path, const char *const args[])
{
    static char text[4200];
    ssize_t n;
    size_t used = 0;
    int ends[2], status;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        dup2(ends[1], STDOUT_FILENO);
        SYS(execve, path, args, ENVIRON);
        _exit(errno);
    }
    close(ends[1]);
    while (used < 4096 && (n = read(ends[0], text + used, 4096 - used)) > 0)
        used += (size_t)n;
    close(ends[0]);
    status = guest_wait(pid);
    snprintf(text + used, sizeof(text) - used, "%d", WEXITSTATUS(status));
    return text;
}

TEST(script_basic, "execve")
{
    guest_scratch();
    REQUIRE_OK(symlink(guest_self, "interp"));
    /* The interpreter gets its one argument, the script's path, then the caller's from argv[1]. */
    make_script("script", "#!%s --helper\n", "interp");
    EXPECT_STREQ(output_of("script", LIST("zero", "one", NULL)), "127");
    make_script("print_argv", "#!%s --helper\n", "interp");
    EXPECT_STREQ(output_of("print_argv", LIST("zero", "one", "two", NULL)),
                 "print_argv|one|two|0");
    make_script("print_argv", "#!  \t %s \t --helper \t \nignored\n", "interp");
    EXPECT_STREQ(output_of("print_argv", LIST("zero", NULL)), "print_argv|0");
    EXPECT_STREQ(output_of("print_argv", LIST(NULL)), "print_argv|0");
}

TEST(script_without_newline, "execve")
{
    guest_scratch();
    REQUIRE_OK(symlink(guest_self, "interp"));
    make_script("print_argv", "#!%s --helper", "interp");
    EXPECT_STREQ(output_of("print_argv", LIST("zero", "one", NULL)), "print_argv|one|0");
}

TEST(script_nested, "execve:ELOOP")
{
    char name[16], line[32];
    const char *path = "print_argv";

    guest_scratch();
    REQUIRE_OK(symlink(guest_self, "interp"));
    make_script(path, "#!%s --helper\n", "interp");
    /* print_argv is the interpreter of s1, s1 of s2, …: five in all, as Linux has it. */
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        snprintf(line, sizeof(line), "#!%s\n",
                 i == 1 ? path : (char[]){'s', (char)('0' + i - 1), 0});
        make_script(name, "%s", line);
    }
    EXPECT_STREQ(output_of("s1", LIST("z", "x", NULL)), "print_argv|s1|x|0");
    EXPECT_STREQ(output_of("s3", LIST("z", NULL)), "print_argv|s1|s2|s3|0");
    EXPECT_STREQ(output_of("s4", LIST("z", NULL)), "print_argv|s1|s2|s3|s4|0");
    EXPECT_ERRNO(SYS(execve, "s5", LIST("z", NULL), ENVIRON), ELOOP);
    make_script("self", "#!%s\n", "self");
    EXPECT_ERRNO(SYS(execve, "self", LIST("z", NULL), ENVIRON), ELOOP);
}

TEST(script_errors, "execve:ENOENT,EACCES,ENOEXEC")
{
    const char *args[] = {"z", NULL};
    char interp[400];

    guest_scratch();
    make_script("missing", "#!%s\n", "/no/such/interpreter");
    EXPECT_ERRNO(SYS(execve, "missing", args, ENVIRON), ENOENT);
    make_script("nothing", "#!%s\n", "");
    EXPECT_ERRNO(SYS(execve, "nothing", args, ENVIRON), ENOEXEC);
    make_script("blanks", "#!%s\n", "   ");
    EXPECT_ERRNO(SYS(execve, "blanks", args, ENVIRON), ENOEXEC);
    make_script("directory", "#!%s\n", "/");
    EXPECT_ERRNO(SYS(execve, "directory", args, ENVIRON), EACCES);
    guest_make_file("plain", "x");
    make_script("unexecutable", "#!%s\n", "plain");
    EXPECT_ERRNO(SYS(execve, "unexecutable", args, ENVIRON), EACCES);
    /* The line is looked at up to 256 bytes: a path that is cut there is no path. */
    memset(interp, 'a', sizeof(interp) - 1);
    interp[sizeof(interp) - 1] = '\0';
    make_script("long", "#!%s\n", interp);
    EXPECT_ERRNO(SYS(execve, "long", args, ENVIRON), ENOEXEC);
}

TEST(exec_setuid_bit, "execve setresuid")
{
    pid_t pid;
    char data[4096];
    int in, out;
    ssize_t n;

    if (!guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_CHOWN))
        SKIP("needs CAP_SETUID and CAP_CHOWN");
    guest_scratch();
    in = (int)REQUIRE_OK(open(guest_self, O_RDONLY));
    out = (int)REQUIRE_OK(open("copy", O_WRONLY | O_CREAT, 0755));
    while ((n = read(in, data, sizeof(data))) > 0)
        REQUIRE(write(out, data, (size_t)n) == n);
    close(out);
    REQUIRE_OK(chown("copy", 1234, 1234));
    REQUIRE_OK(chmod("copy", 04755));
    IN_CHILD(pid) {
        EXPECT_OK(SYS(prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0));
        SYS(execve, "copy", ARGS("check_auxv"), ENVIRON);
        _exit(99);
    }
    /* no_new_privs: executed, but as who one was. */
    EXPECT_CHILD_OK(pid);
}

TEST(exec_in_loop, "execve fork wait4")
{
    for (int i = 0; i < 30; i++)
        EXPECT_EQ(run_helper(ARGS("count_args", "1"), ENVIRON), 2 << 8);
}
