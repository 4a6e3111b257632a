/*
 * Children of runsc, from clone to the first answer. Before anything else a child closes all that
 * is not its own: if runsc dies, nobody else then holds the other ends, so that the child sees it
 * and ends too, whether it still waits to be let go or already for its boot message.
 */
#include "cmd/runsc/child.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Numbers of a child's descriptors before its execution; 3 is CONTROL_BOOT_FD. */
enum { CHILD_EXE = 4, CHILD_GO = 5, CHILD_END = 6 };

#define LAST_WORDS_MAX    4096
#define ANSWER_TIMEOUT_MS 30000
#define EXIT_BOOT         128

void child_init(struct child *child)
{
    *child = (struct child){
        .pidfd = -1, .boot = -1, .boot_far = -1, .go = -1, .go_far = -1, .last_words = -1};
}

int child_prepare(struct child *child, const char *what, const char *argv0)
{
    int pair[2], pipe_fds[2];

    child->what = what;
    child->argv0 = argv0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(-errno, "can't make a socket for the %s", what);
    child->boot = pair[0];
    child->boot_far = pair[1];
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return error_errno(-errno, "can't make a pipe for the %s", what);
    child->go = pipe_fds[1];
    child->go_far = pipe_fds[0];
    child->last_words = memfd_create("last-words", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (child->last_words < 0 || ftruncate(child->last_words, LAST_WORDS_MAX) < 0 ||
        fcntl(child->last_words, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return error_errno(-errno, "can't make memory for the %s", what);
    return 0;
}

/* words_of() - the child's stderr; in sanitizer builds a test can have their reports in a file. */
static int words_of(const struct child *child)
{
    const char *log = SANITIZED ? getenv("RUNSC_SANITIZER_LOG") : NULL;
    int fd = log ? host_file_open(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;

    return fd < 0 ? child->last_words : fd;
}

/* arrange_fds() - in the child: its few descriptors at their numbers, all others closed. */
static int arrange_fds(const struct child *child, int exe)
{
    const int from[] = {-1, -1, words_of(child), child->boot_far, exe, child->go_far};
    int high[CHILD_END], null, r = 0;

    null = host_file_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0)
        return null;
    for (int i = 0; i < CHILD_END && r >= 0; i++)
        r = high[i] = fcntl(from[i] < 0 ? null : from[i], F_DUPFD_CLOEXEC, CHILD_END);
    for (int i = 0; i < CHILD_END && r >= 0; i++)
        r = dup3(high[i], i, i < CHILD_EXE ? 0 : O_CLOEXEC);
    if (r < 0)
        return -errno;
    return host_process_close_from(CHILD_END);
}

/* wait_for_go() - Return: false if runsc is gone. */
static bool wait_for_go(void)
{
    char byte;
    ssize_t n;

    do {
        n = read(CHILD_GO, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

/* tell() - the error line to runsc, as the child's answer. */
static void tell(void)
{
    struct control_msg msg = {0};

    if (control_msg_fail(&msg, NULL, 0, "%s", error_text()) == 0)
        control_msg_send(CONTROL_BOOT_FD, &msg);
    control_msg_free(&msg);
}

static _Noreturn void run_child(const struct child *child, int exe, int (*setup)(void *), void *arg)
{
    char option[32], name[32];
    char *argv[] = {name, option, NULL}, *envp[] = {NULL};
    int r;

    snprintf(name, sizeof(name), "%s", child->argv0);
    snprintf(option, sizeof(option), "--boot-fd=%d", CONTROL_BOOT_FD);
    r = arrange_fds(child, exe);
    if (r)
        _exit(EXIT_BOOT);
    host_process_reset_signals();
    if (!wait_for_go())
        _exit(EXIT_BOOT);
    r = setup(arg);
    if (!r) {
        host_process_session();
        r = host_process_exec_fd(CHILD_EXE, argv, envp);
        error_errno(r, "can't execute this program again as %s", child->argv0);
    }
    tell();
    _exit(EXIT_BOOT);
}

int child_start(struct child *child, unsigned long clone_flags, int exe, int (*setup)(void *),
                void *arg)
{
    pid_t pid = host_process_clone(clone_flags);

    if (pid < 0)
        return error_errno(pid, "can't make the %s process", child->what);
    if (pid == 0)
        run_child(child, exe, setup, arg);
    child->pid = pid;
    clean_fd(&child->boot_far);
    clean_fd(&child->go_far);
    child->boot_far = child->go_far = -1;
    child->pidfd = host_process_pidfd(pid);
    if (child->pidfd < 0)
        return error_errno(child->pidfd, "can't watch the %s process", child->what);
    return 0;
}

int child_go(struct child *child)
{
    return host_file_write(child->go, "g", 1);
}

/* last_line() - what a dead child wrote last to its stderr, in @text; empty if nothing. */
static void last_line(const struct child *child, char *text, size_t size)
{
    char words[LAST_WORDS_MAX + 1];
    ssize_t n = pread(child->last_words, words, LAST_WORDS_MAX, 0);
    char *start;

    text[0] = '\0';
    if (n <= 0)
        return;
    words[n] = '\0';
    n = (ssize_t)strlen(words);
    while (n > 0 && words[n - 1] == '\n')
        words[--n] = '\0';
    start = strrchr(words, '\n');
    snprintf(text, size, "%s", start ? start + 1 : words);
}

/* explain_death() - the child has closed its boot socket without an answer. */
static int explain_death(struct child *child)
{
    char words[1024], how[128] = "it closed its boot socket";
    int status;

    host_process_gone(child->pidfd, 1000);
    if (host_process_wait(child->pid, &status, false) == child->pid) {
        child->pid = 0;
        if (WIFSIGNALED(status))
            snprintf(how, sizeof(how), "killed by signal %d (%s)", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
        else
            snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(status));
    }
    last_line(child, words, sizeof(words));
    return error_set(-ECHILD, "the %s process died while it started: %s%s%s", child->what, how,
                     *words ? ": " : "", words);
}

int child_answer(struct child *child)
{
    auto_control_msg struct control_msg msg = {0};
    struct pollfd p = {.fd = child->boot, .events = POLLIN};
    const char *text = "no reason given";
    bool ok = false;
    int r;

    do {
        r = host_poll(&p, 1, ANSWER_TIMEOUT_MS);
    } while (r == -EINTR);
    if (r == 0)
        return error_set(-ETIMEDOUT, "the %s process did not start within %d seconds", child->what,
                         ANSWER_TIMEOUT_MS / 1000);
    r = r < 0 ? r : control_msg_recv(child->boot, &msg);
    if (r == -EPIPE)
        return explain_death(child);
    if (r)
        return error_errno(r, "the %s process gave an answer that is none", child->what);
    control_msg_get_bool(&msg, "ok", &ok);
    if (ok)
        return 0;
    control_msg_get_string(&msg, "error", &text);
    return error_set(-ECANCELED, "the %s process could not start: %s", child->what, text);
}

void child_abort(struct child *child)
{
    int status;

    if (child->pid <= 0)
        return;
    host_process_kill(child->pid, SIGKILL);
    host_process_wait(child->pid, &status, true);
    child->pid = 0;
}

void child_release(struct child *child)
{
    int *fds[] = {&child->pidfd, &child->boot,   &child->boot_far,
                  &child->go,    &child->go_far, &child->last_words};

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        clean_fd(fds[i]);
        *fds[i] = -1;
    }
}
