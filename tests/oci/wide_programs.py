#!/usr/bin/env python3
"""Runtimes, toolchains and databases of a Debian 12 say the same in the sandbox as under chroot on the host, byte for byte."""
import compare
import harness

TREE = 'wide'


def same(t, words, *names, **more):
    return compare.same(t, TREE, words, {f'/t/{name}': name for name in names}, **more)


def node(t):
    """Node: files, child processes, worker threads, timers, streams"""
    same(t, ['/usr/bin/node', '/t/node.js'], 'node.js', lines=20)


def java(t):
    """Java: threads, collectors, NIO files and maps, processes"""
    same(t, ['/bin/bash', '/t/java.sh'], 'java.sh', 'Main.java', lines=20)


def go(t):
    """go build, go vet and a program of goroutines, timers, processes and signals"""
    same(t, ['/bin/bash', '/t/go.sh'], 'go.sh', 'main.go.txt', lines=15)


def rust(t):
    """rustc and a program of threads, channels, processes and files"""
    same(t, ['/bin/bash', '/t/rust.sh'], 'rust.sh', 'main.rs', lines=12, masks=[(r'finished in \d+\.\d+s', 'finished')])


def redis(t):
    """redis-server: TCP, a path, pipelines, persistence by fork, a crash"""
    same(t, ['/bin/bash', '/t/redis.sh'], 'redis.sh', lines=40)


def memcached(t):
    """memcached: TCP, UDP, a path, many clients"""
    same(t, ['/bin/bash', '/t/memcached.sh'], 'memcached.sh', lines=18)


def postgres(t):
    """PostgreSQL: initdb, clients, pgbench, a crash and its recovery"""
    same(t, ['/bin/bash', '/t/postgres.sh'], 'postgres.sh', lines=30)


def gdb(t):
    """gdb: breakpoints, threads, watchpoints, forks, attach, a crash"""
    same(t, ['/bin/bash', '/t/gdb.sh'], 'gdb.sh', lines=40)


if __name__ == '__main__':
    harness.main(__doc__, [node, java, go, rust, redis, memcached, postgres, gdb])
