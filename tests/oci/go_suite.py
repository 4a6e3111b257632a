#!/usr/bin/env python3
"""Go's own tests of what touches the kernel: each test's verdict in the sandbox is the host's.

Debian's golang sources; a package's tests are built once, on the host, and run under chroot on the host and in the sandbox,
in the package's folder. A test whose verdict differs is run once more in both places alone. What must differ stands in
go_exceptions.tsv (package.Test, tab, reason). By hand: go_suite.py os os_exec
"""
import os
import re
import subprocess

import compare
import debian
import harness
import verdicts

PACKAGES = '''os os/exec os/signal os/user syscall time sync sync/atomic internal/poll io io/ioutil io/fs path/filepath runtime
    runtime/debug runtime/pprof net log/syslog archive/tar'''.split()
GOROOT = '/usr/share/go-1.19'
SOURCE = GOROOT + '/src'
BINARIES = '/opt/go-tests'
SHORT = ['runtime', 'runtime/pprof']  # their long tests load the machine for half an hour
SECONDS = 600
INDENT = 4  # of a subtest's verdict under its test's
VERDICT = re.compile(r'( *)--- (PASS|FAIL|SKIP): (\S+) \(')  # not always at the beginning of a line
COMPARISON = verdicts.Comparison(os.path.join(harness.ROOT, 'tests/oci/go_exceptions.tsv'))

scratch = None


def binary(package):
    return f'{BINARIES}/{package.replace("/", "_")}.test'


def prepare(t):
    global scratch
    scratch = compare.scratch(t, 'wide')
    add_zones(t)
    t.baseline = set(t.leftovers())


def finish(_):
    if scratch:
        scratch.close()


def add_zones(t):
    """Debian leaves out Go's own zip of time zones, which is not compressed; the tests of time want it under GOROOT."""
    script = f'mkdir -p {GOROOT}/lib/time; cd /usr/share/zoneinfo && zip -q -0 -r {GOROOT}/lib/time/zoneinfo.zip . -i "*/*" UTC && ' \
        f'ln -s {GOROOT}/lib /usr/lib/go-1.19/lib'
    t.succeeded(on_host(['bash', '-c', script], 60), 'making the zip of time zones')


def on_host(words, seconds):
    return subprocess.run(debian.host_command(scratch.path, words, (), compare.CAPS), capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=seconds, check=False, **compare.TEXT)


def build(t, package):
    script = f'mkdir -p {BINARIES}; cd {SOURCE}; GOCACHE=/opt/cache GOFLAGS=-mod=mod CGO_ENABLED=0 go test -c -o {binary(package)} {package}'
    t.succeeded(on_host(['bash', '-c', script], 900), f'building the tests of {package}')


def words(package, names):
    """The command of a package's tests, or of the top-level tests that names belong to."""
    only = '|'.join(sorted({name.split('/')[0] for name in names}))
    flags = f'-test.v -test.timeout={SECONDS - 60}s' + (' -test.short' if package in SHORT else '')
    flags += f" -test.run='^({only})$'" if only else ''
    return ['bash', '-c', f'cd {SOURCE}/{package} && exec {binary(package)} {flags} 2>&1']


def verdicts_of(package, text):
    """{package.test: (PASS, FAIL or SKIP, what it said before)}"""
    found, last = {}, 0
    for match in VERDICT.finditer(text):
        spaces, verdict, name = match.groups()
        if len(spaces) != INDENT * name.count('/'):
            continue  # what a test cites of a program of its own
        found[f'{package}.{name}'] = (verdict, text[last:match.start()][-1500:])
        last = match.start()
    return found


def run(t, package, host, names=()):
    """Return: a package's verdicts, or those of the tests named, and the last of what it said."""
    try:
        if host:
            done = on_host(words(package, names), SECONDS)
        else:
            bundle = compare.DebianBundle(t.path(t.name('bundle')), scratch, words(package, names))
            done = t.runtime.run(bundle, t.name(), timeout=SECONDS, **compare.TEXT)
    except subprocess.TimeoutExpired as late:
        t.force_end()
        return verdicts_of(package, (late.stdout or b'').decode(errors='replace')), 'no end'
    return verdicts_of(package, done.stdout), f'status {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}'


def agree(t, package):
    build(t, package)
    host, said = run(t, package, True)
    t.true(host, f'no test ran on the host: {said}')
    box, said = run(t, package, False)

    def again(names):
        names = [name.removeprefix(package + '.') for name in names]
        return run(t, package, True, names)[0], run(t, package, False, names)[0]
    COMPARISON.agree(t, package + '.', host, box, again, said)


def few_exceptions(t):
    """at most two of a hundred tests are exceptions"""
    COMPARISON.few_exceptions(t)


def point(package):
    def function(t):
        agree(t, package)
    function.__name__ = package.replace('/', '_')
    function.__doc__ = f'go test {package}'
    return function


if __name__ == '__main__':
    harness.main(__doc__, [*map(point, PACKAGES), few_exceptions], prepare, finish)
