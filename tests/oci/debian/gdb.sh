# gdb: breakpoints, steps, threads, watchpoints in software, calls, forks, attach, a crash. Addresses and pids are masked.
exec 2>&1
export LC_ALL=C
mkdir -p /tmp/gdb && cd /tmp/gdb
cat >t.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
    pthread_mutex_lock(&lock);
    shared += *(int *)arg;
    pthread_mutex_unlock(&lock);
    return arg;
}

int fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    int one = 1, two = 2;
    pthread_t a, b;

    if (argc > 1 && !strcmp(argv[1], "crash"))
        *(volatile int *)8 = 1;
    if (argc > 1 && !strcmp(argv[1], "sleep"))
        for (;;)
            pause();
    pthread_create(&a, NULL, work, &one);
    pthread_create(&b, NULL, work, &two);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("shared %d fib %d\n", shared, fib(6));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fib(3));
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}
C
gcc -g -O0 -no-pie -o t t.c
mask() { sed -E 's/0x[0-9a-f]+/ADDR/g; s/(LWP|process|Process|pid) [0-9]+/\1 N/g; /linux-vdso|system-supplied DSO|^warning: (Error disabling address|could not)|debuginfod/d'; }
run() { gdb -q -batch -nx -ex 'set debuginfod enabled off' -ex 'set pagination off' -ex 'set can-use-hw-watchpoints 0' "$@" | mask; }
echo one; run -ex 'break fib if n == 2' -ex run -ex bt -ex 'info breakpoints' -ex finish -ex 'print shared' -ex 'set var shared = 50' -ex delete -ex continue ./t | grep -v '^\[\(New\|Switching\)\|exited\]$'
echo two; run -ex 'break work' -ex run -ex 'info threads' -ex 'next' -ex 'print *(int *)arg' -ex 'thread apply all -q print 1' -ex kill ./t | grep -oE 'hit Breakpoint 1|^[$]1 = [0-9]|thread_proxy' | sort | uniq -c
echo three; run -ex 'break main' -ex run -ex 'next 3' -ex 'watch shared' -ex continue -ex 'info registers rip' -ex 'stepi 5' -ex 'print fib(10)' -ex 'call (int)getpid() == 0' -ex kill ./t | grep -E '^\$|Old value|New value|Watchpoint'
echo four; run -ex 'set follow-fork-mode child' -ex 'set detach-on-fork on' -ex 'break fib if n == 3' -ex 'disable 1' -ex 'catch fork' -ex run -ex 'enable 1' -ex continue -ex bt -ex delete -ex continue ./t | grep -E 'Catchpoint|^#|exited with|Breakpoint'
echo five; run -ex run -ex bt -ex 'print $_siginfo.si_signo' -ex 'print $_siginfo._sifields._sigfault.si_addr' --args ./t crash | grep -vE '^\[|libthread_db'
echo six; ./t sleep & pid=$!; until grep -q '^State:	S' /proc/$pid/status; do sleep 0.01; done
run -p $pid -ex 'frame function main' -ex 'print argc' -ex 'set var argc = 7' -ex 'print argc' -ex detach | grep '^\$'; grep ^TracerPid /proc/$pid/status; kill $pid; wait $pid; echo "status $?"
