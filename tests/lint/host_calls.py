#!/usr/bin/env python3
"""The host is called only through host_* wrappers: libc's system calls and errno appear in no file but those in host_calls.tsv."""
import re

import lint

TABLE = 'tests/lint/host_calls.tsv'
CALLS = '''accept accept4 access bind brk chdir chmod chown chroot clock_gettime clock_nanosleep clone clone3 close connect creat
dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd execl execle execlp execv execve execveat
execvp exit _exit faccessat fallocate fchdir fchmod fchmodat fchown fchownat fclose fcntl fdatasync fdopen fflush fgets
flock fopen fork fprintf fputs fread fstat fstatat fsync ftruncate futimens fwrite getcwd getegid geteuid getgid getpid getppid
getrandom gettid gettimeofday getuid inotify_init1 ioctl io_uring_enter io_uring_setup kill link linkat listen lseek lstat madvise
membarrier memfd_create mkdir mkdirat mkdtemp mkfifo mknod mknodat mkstemp mlock mmap mount mprotect mremap msync munmap nanosleep
open open_by_handle_at openat openat2 opendir pause perror personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 popen poll
ppoll prctl pread pread64 preadv preadv2 printf prlimit process_vm_readv process_vm_writev pselect ptrace puts pwrite
pwrite64 pwritev pwritev2 raise read readahead readdir readlink readlinkat readv recv recvfrom recvmmsg recvmsg rename renameat
renameat2 rmdir sched_getaffinity sched_getcpu sched_setaffinity sched_yield select send sendfile sendmmsg sendmsg sendto setegid
seteuid setgid setgroups sethostname setns setpgid setpriority setresgid setresuid setrlimit setsid setsockopt setuid sigaction
sigaltstack signalfd sigprocmask sigtimedwait sleep socket socketpair splice stat statfs statvfs statx symlink symlinkat
sync syscall sysinfo system tee tgkill time timer_create timerfd_create timerfd_settime truncate umask umount umount2 uname
unlink unlinkat unshare userfaultfd usleep utimensat vfork vmsplice wait wait3 wait4 waitid waitpid write writev
pthread_create pthread_kill pthread_sigmask pthread_mutex_lock pthread_cond_wait'''.split()
CALL = re.compile(r'(?<![\w.])(?<!->)(?:' + '|'.join(CALLS) + r')\s*\(')
ERRNO = re.compile(r'(?<![\w.>])errno\b(?!\s*\.h)')
# A declaration or definition of ours that has libc's name would be wrong anyway; a macro's parameter list is not a call.
DEFINE = re.compile(r'^\s*#\s*(define|include)\b')


def allowed(tree):
    return tuple(line.split('\t')[0] for line in tree.text(TABLE).splitlines() if line and not line.startswith('#'))


def check(tree):
    free = allowed(tree)
    for path in tree.code():
        if free and path.startswith(free):
            continue
        for number, line in enumerate(lint.without_comments(tree.text(path)).split('\n'), 1):
            if DEFINE.match(line):
                continue
            for match in CALL.finditer(line):
                name = match.group(0).rstrip('( \t')
                yield lint.Finding(path, number, f'{name}() calls the host: use a host_* wrapper, or list the file in {TABLE}')
            if ERRNO.search(line):
                yield lint.Finding(path, number, 'errno is read only inside host_*: return a negative errno')


SMALL = {TABLE: 'sentry/base/host_\tthe wrappers\n'}
CASES = [
    ({**SMALL, 'fs/a.c': 'int f(void)\n{\n    return ops->read(x) + host_read(1) + a.open(2) + file_close(f);\n}\n'}, None),
    ({**SMALL, 'fs/a.c': 'int f(void)\n{\n    return read(0, b, 1);\n}\n'}, 'fs/a.c:3: read() calls the host'),
    ({**SMALL, 'fs/a.c': '    x = syscall(SYS_gettid);\n'}, 'syscall() calls the host'),
    ({**SMALL, 'fs/a.c': '    return -errno;\n'}, 'errno is read'),
    ({**SMALL, 'fs/a.c': '#include <errno.h>\n/* read() sets errno */ const char *s = "read(errno)"; x->errno = y.errno;\n'}, None),
    ({**SMALL, 'sentry/base/host_fd.c': '    return read(0, b, 1) < 0 ? -errno : 0;\n'}, None),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
