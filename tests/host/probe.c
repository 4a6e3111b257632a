/* Runs one host probe by name, or lists them; and what the probes share. */
#include "tests/host/probe.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct probe *const groups[] = {notif_probes, process_probes, ptrace_probes, mm_probes};

int probe_fail(const char *format, ...)
{
    int err = errno;
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (errno %d: %s)\n", err, strerror(err));
    return PROBE_FAIL;
}

int probe_skip(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return PROBE_SKIP;
}

pid_t probe_child(int (*f)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid == 0)
        _exit(f(arg));
    return pid;
}

int probe_status(pid_t pid)
{
    int status;

    if (pid < 0 || waitpid(pid, &status, __WALL) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void *probe_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static int install(int nr, uint32_t action, unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return r < 0 ? -errno : (int)r;
}

int probe_listener(int nr, unsigned flags)
{
    return install(nr, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);
}

int probe_trap(int nr)
{
    return install(nr, SECCOMP_RET_TRAP, 0);
}

int main(int argc, char **argv)
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        for (const struct probe *p = groups[g]; p->name; p++) {
            if (argc < 2)
                puts(p->name);
            else if (!strcmp(p->name, argv[1]))
                return p->run();
        }
    }
    if (argc < 2)
        return 0;
    fprintf(stderr, "no probe of the name %s\n", argv[1]);
    return PROBE_FAIL;
}
