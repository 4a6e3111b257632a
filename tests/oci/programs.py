#!/usr/bin/env python3
"""Programs of a Debian 12 say the same in the sandbox as under chroot on the host, byte for byte."""
import compare
import harness

TREE = 'tools'
PYTHON = {'/t/sections.py': 'sections.py'}


def script(t, name, *words, **more):
    return compare.same(t, TREE, ['/bin/bash', f'/t/{name}', *words], {f'/t/{name}': name, **more.pop('files', {})}, **more)


def python(t, *sections, **more):
    return compare.same(t, TREE, ['/usr/bin/python3', '/t/sections.py', *sections], PYTHON, **more)


def bash(t):
    """a long bash script: traps, coprocesses, job control, process substitution"""
    script(t, 'bash.sh', lines=200)


def coreutils(t):
    """coreutils, nearly every program"""
    script(t, 'coreutils.sh', lines=400, masks=[(r'\b\d{2}:\d{2}:\d{2}\b', 'TIME')])


def tools(t):
    """sed, awk, grep, jq, ps, lsof, pgrep, top and what else looks at text and processes"""
    script(t, 'tools.sh', lines=100)


def perl(t):
    """Perl: processes, signals, files"""
    compare.same(t, TREE, ['/usr/bin/perl', '/t/perl.pl'], {'/t/perl.pl': 'perl.pl'}, lines=40)


def python_threads(t):
    """Python: threads, queues, conditions, executors"""
    python(t, 'threads', lines=8)


def python_processes(t):
    """Python: subprocess, fork, posix_spawn, waitid"""
    python(t, 'processes', lines=17)


def python_pools(t):
    """Python: multiprocessing by fork and by spawn, shared memory, process pools"""
    python(t, 'pools', lines=7)


def python_signals(t):
    """Python: handlers, masks, timers, wakeup descriptors, deaths by signal"""
    python(t, 'signals', lines=11)


def python_memory(t):
    """Python: mmap and ctypes"""
    python(t, 'memory', 'foreign functions', lines=10)


def python_files(t):
    """Python: files, locks, select, poll, epoll"""
    python(t, 'files', 'waiting', lines=20)


def python_forkserver(t):
    """Python: multiprocessing's fork server, which passes descriptors over AF_UNIX"""
    python(t, 'forkserver', lines=2)


def python_asyncio(t):
    """Python: asyncio with timers, subprocesses, signals, executors"""
    python(t, 'asyncio', lines=8)


def compilers(t):
    """gcc and g++ build threaded programs, libraries, static programs, which run"""
    script(t, 'compile.sh', lines=40, files={'/t/threaded.c': 'threaded.c', '/t/cplusplus.cc': 'cplusplus.cc'},
           masks=[(r'/tmp/cc\w+\.o', '/tmp/cc.o')])


def make(t):
    """make -j2, its job server, recursion and errors"""
    script(t, 'make.sh', lines=15, masks=[(r'/tmp/Gm\w+', '/tmp/Gm')])


def git(t):
    """git: commits, merges, rebase, clone, push, gc, fsck"""
    script(t, 'git.sh', lines=100, masks=[(r'pack-[0-9a-f]{40}', 'pack')])


def sqlite(t):
    """sqlite3: transactions, WAL with several writers, backup; on a tmpfs"""
    script(t, 'sqlite.sh', lines=30)


def sqlite_on_root(t):
    """sqlite3 the same on the container's root file system"""
    script(t, 'sqlite.sh', '/root/sqlite', lines=30)


def archives(t):
    """tar, gzip, bzip2, xz, zstd, zip round trips"""
    script(t, 'archives.sh', lines=50)


def rsync(t):
    """rsync: deltas, deletions, links, attributes"""
    script(t, 'rsync.sh', lines=30)


def inotify(t):
    """inotifywait sees files come, change and go"""
    script(t, 'inotify.sh', lines=8)


def terminal(t):
    """terminals of script, Python's pty, job control of bash on one"""
    script(t, 'terminal.sh', lines=10, masks=[(r'(?m)^\[1\] \d+', '[1] PID')])


def strace(t):
    """strace: forks, threads, signals, attach, injected errors"""
    script(t, 'strace.sh', lines=60)


if __name__ == '__main__':
    harness.main(__doc__, [bash, coreutils, tools, perl, python_threads, python_processes, python_pools, python_signals, python_memory,
                           python_files, python_forkserver, python_asyncio, compilers, make, git, sqlite, sqlite_on_root, archives, rsync, inotify,
                           terminal, strace])
