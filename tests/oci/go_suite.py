#!/usr/bin/env python3
"""Go's own tests of what touches the kernel have the same verdicts in the sandbox as under chroot on the host.

Debian's golang sources; each package's tests are built once, on the host, and run on both sides in the package's folder.
A point is one package. go_suite.tsv lists the tests that cannot agree, each with the mechanism of the host that forbids it;
a listed test that agrees fails its point, and more than 2 % listed fail the run.
"""
import json
import os
import re
import subprocess

import debian
import harness

PACKAGES = ['os', 'os/exec', 'os/signal', 'os/user', 'syscall', 'time', 'sync', 'sync/atomic', 'runtime', 'io/ioutil', 'path/filepath',
            'net']
SOURCE = '/usr/share/go-1.19/src'
BINARIES = '/opt/go-tests'
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'go_suite.tsv')
SECONDS = 300
VERDICT = re.compile(r'^\s*--- (PASS|FAIL|SKIP): (\S+)', re.MULTILINE)

scratch = None


def exceptions():
    """{package: {test: reason}}"""
    found = {}
    with open(LIST, encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                package, test, reason = line.rstrip('\n').split('\t')
                found.setdefault(package, {})[test] = reason
    return found


def binary(package):
    return f'{BINARIES}/{package.replace("/", "_")}.test'


def prepare(t):
    global scratch
    try:
        scratch = debian.Scratch('wide', t.folder)
    except debian.Unavailable as why:
        raise harness.Skip(str(why)) from why
    if os.path.isdir('/usr/share/zoneinfo') and not os.path.isdir(scratch.path + '/usr/share/zoneinfo'):
        subprocess.run(['cp', '-a', '/usr/share/zoneinfo', scratch.path + '/usr/share/'], check=True)
    build = f'mkdir -p {BINARIES}; cd {SOURCE}; export GOCACHE=/tmp/cache GOFLAGS=-mod=mod CGO_ENABLED=0; ' + '; '.join(
        f'go test -c -o {binary(package)} {package} || exit 1' for package in PACKAGES)
    done = subprocess.run(debian.host_command(scratch.path, ['bash', '-c', build]), capture_output=True, text=True, timeout=900, check=False)
    t.succeeded(done, 'building the tests')
    t.baseline = set(t.leftovers())


def finish(t):
    if scratch:
        scratch.close()


def words(package):
    flags = '-test.v -test.short -test.timeout=240s'
    return ['bash', '-c', f'cd {SOURCE}/{package} && exec {binary(package)} {flags} 2>&1']


def verdicts(text):
    """{test: PASS, FAIL or SKIP}"""
    return {name: verdict for verdict, name in VERDICT.findall(text)}


def in_sandbox(t, package):
    bundle = t.bundle(words(package))
    config = bundle.config
    config['root']['path'] = scratch.path
    config['process']['env'] = debian.ENV
    config['process']['rlimits'] = [{'type': 'RLIMIT_NOFILE', 'soft': 1024, 'hard': 1024}]
    config['mounts'] += [
        {'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['nosuid', 'noexec', 'nodev', 'ro']},
        {'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts', 'options': ['newinstance', 'ptmxmode=0666', 'gid=5']},
        {'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm', 'options': ['nosuid', 'noexec', 'nodev', 'mode=1777']},
    ]
    with open(os.path.join(bundle.path, 'config.json'), 'w', encoding='utf-8') as file:
        json.dump(config, file)
    return t.runtime.run(bundle, t.name(), timeout=SECONDS)


def last_words(text, name):
    """What a test said before its verdict."""
    at = text.find(f'--- FAIL: {name}')
    return ' | '.join(line.strip() for line in text[at:].splitlines()[:4]) if at >= 0 else ''


def point(package):
    def function(t):
        host = subprocess.run(debian.host_command(scratch.path, words(package)), capture_output=True, text=True, timeout=SECONDS, check=False)
        ours = in_sandbox(t, package)
        wanted, found = verdicts(host.stdout), verdicts(ours.stdout)
        t.true(len(wanted) > 0, f'no test ran on the host: {host.stdout[-400:]}')
        listed = exceptions().get(package, {})
        t.true(len(listed) <= max(1, len(wanted) * 0.02), f'{len(listed)} exceptions of {len(wanted)} tests: at most 2 %')
        wrong = [f'{name}: {found.get(name, "nothing")}, on the host {wanted[name]}: {last_words(ours.stdout, name)}'
                 for name in wanted if found.get(name) != wanted[name] and name not in listed]
        wrong += [f'{name}: agrees, though it is listed' for name in listed if name in wanted and found.get(name) == wanted[name]]
        if wrong and not found:
            wrong.append(ours.stdout[-600:] + ours.stderr[-200:])
        t.true(not wrong, f'{len(wrong)} of {len(wanted)}:\n' + '\n'.join(wrong[:60]) + '\n' + ours.stdout[-300:])
    function.__name__ = package.replace('/', '_')
    function.__doc__ = f'go test {package}'
    return function


if __name__ == '__main__':
    harness.main(__doc__, [point(package) for package in PACKAGES], prepare, finish)
