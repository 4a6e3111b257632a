/*
 * Runs hooks. A hook's stdout and stderr go to a memfd, of which the last part is shown when it
 * fails; a hook that outlives its time-out is killed with all its process group.
 */
#include "cmd/runsc/hook.h"

#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/host_process.h"
#include "sentry/base/clean.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define OUTPUT_SHOWN 512
#define EXIT_NO_EXEC 127

char *hook_state(const struct container *c, enum container_status status)
{
    struct json_object *json = container_state_json(c, status);
    char *text = NULL;

    if (json)
        text = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(json);
    return text;
}

/* run_child() - in the hook's process. */
static _Noreturn void run_child(const struct oci_hook *hook, int in, int out, const char *dir)
{
    const char *no_env[] = {NULL}, *own[] = {hook->path, NULL};
    const char *const *argv = hook->args.count ? hook->args.items : own;
    const char *const *envp = hook->env.count ? hook->env.items : no_env;

    host_process_session();
    host_process_reset_signals();
    signal(SIGPIPE, SIG_DFL);
    if (host_file_dup(in, 0) < 0 || host_file_dup(out, 1) < 0 || host_file_dup(out, 2) < 0)
        _exit(EXIT_NO_EXEC);
    host_process_close_from(3);
    if (dir && host_process_chdir(dir)) {
        dprintf(2, "can't go to %s", dir);
        _exit(EXIT_NO_EXEC);
    }
    errno = -host_process_exec(hook->path, (char *const *)(uintptr_t)argv,
                               (char *const *)(uintptr_t)envp);
    dprintf(2, "can't execute it: %s", strerror(errno));
    _exit(EXIT_NO_EXEC);
}

/* output_of() - the end of what a hook has written, in @text, without final line breaks. */
static void output_of(int out, char *text, size_t size)
{
    off_t len = lseek(out, 0, SEEK_END);
    off_t from = len > (off_t)size - 1 ? len - (off_t)size + 1 : 0;
    ssize_t n = len > 0 ? pread(out, text, size - 1, from) : 0;

    n = n < 0 ? 0 : n;
    while (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
}

/* finish() - waits for the hook. Return: 0 or an error, error set. */
static int finish(const char *name, const struct oci_hook *hook, pid_t pid, int out)
{
    auto_fd int pidfd = host_process_pidfd(pid);
    s64 seconds = hook->timeout.set ? hook->timeout.value : -1;
    int timeout = seconds < 0 ? -1 : seconds > INT32_MAX / 1000 ? INT32_MAX : (int)seconds * 1000;
    char text[OUTPUT_SHOWN + 1];
    bool late = pidfd >= 0 && host_process_gone(pidfd, timeout) == -ETIMEDOUT;
    int status;

    if (late)
        host_process_kill(-pid, SIGKILL);
    host_process_wait(pid, &status, true);
    if (late)
        return error_set(-ETIMEDOUT, "%s (%s) did not end within %lld seconds", name, hook->path,
                         (long long)seconds);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    output_of(out, text, sizeof(text));
    return error_set(-ECHILD, "%s (%s) failed: %s %d%s%s", name, hook->path,
                     WIFSIGNALED(status) ? "signal" : "exit status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                     *text ? ": " : "", text);
}

static int run_one(const char *name, const struct oci_hook *hook, const char *state,
                   const char *dir)
{
    auto_fd int in = host_file_memfd("hook-state", state, strlen(state), false);
    auto_fd int out = host_file_memfd("hook-output", "", 0, false);
    pid_t pid;

    if (in < 0 || out < 0 || lseek(in, 0, SEEK_SET) < 0)
        return error_errno(in < 0 ? in : out, "%s: can't make its input and output", name);
    pid = host_process_clone(0);
    if (pid < 0)
        return error_errno(pid, "%s: can't make its process", name);
    if (pid == 0)
        run_child(hook, in, out, dir);
    return finish(name, hook, pid, out);
}

int hook_run_all(const char *kind, const struct oci_hooks *hooks, const char *state,
                 const char *dir)
{
    for (size_t i = 0; i < hooks->count; i++) {
        char name[64];
        int r;

        snprintf(name, sizeof(name), "hook %s[%zu]", kind, i);
        r = run_one(name, &hooks->items[i], state, dir);
        if (r)
            return r;
    }
    return 0;
}

void hook_run_best_effort(const char *kind, const struct oci_hooks *hooks, const char *state,
                          const char *dir)
{
    for (size_t i = 0; i < hooks->count; i++) {
        char name[64];

        snprintf(name, sizeof(name), "hook %s[%zu]", kind, i);
        if (run_one(name, &hooks->items[i], state, dir))
            log_warning("%s", error_text());
    }
}
