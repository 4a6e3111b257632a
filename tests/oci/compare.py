#!/usr/bin/env python3
"""Runs the same program under chroot on the host and in the sandbox, in fresh copies of one Debian tree, and compares.

The host's side has namespaces, mounts and capabilities of its own as a container of the default configuration has them, so
what it prints is what Linux says in that place. By hand, in a throw-away copy of a tree:

    tests/oci/compare.py [--host] [--terminal] TREE [WORD…]
"""
import difflib
import json
import os
import re
import resource
import subprocess
import sys

import debian
import harness

FOLDER = os.path.join(harness.ROOT, 'tests/oci/debian')
CAPABILITIES = ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'NET_RAW', 'SETFCAP',
                'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']
TEXT = {'text': True, 'errors': 'surrogateescape', 'encoding': 'utf-8'}
CAPS = ','.join('+' + name.lower() for name in CAPABILITIES)  # as setpriv wants it
MOUNTS = [
    ('/proc', 'proc', []),
    ('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    ('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    ('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']),
    ('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
    ('/tmp', 'tmpfs', ['nosuid', 'nodev', 'mode=1777']),
]


class DebianBundle:
    """A bundle whose root file system is a scratch copy; as harness.Bundle, write() after changing .config."""

    def __init__(self, path, scratch, words, env=()):
        self.path, self.rootfs = path, scratch.path
        os.makedirs(path)
        os.chmod(path, 0o755)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        caps = ['CAP_' + name for name in CAPABILITIES]
        self.config = harness.default_config(words)
        self.config['root']['path'] = scratch.path
        self.config['process'].update(
            env=[*debian.ENV, *env], rlimits=[{'type': 'RLIMIT_NOFILE', 'soft': 1024, 'hard': hard}],
            capabilities={kind: caps for kind in ('bounding', 'effective', 'permitted')})
        self.config['mounts'] = [{'destination': place, 'type': kind, 'source': kind, 'options': options}
                                 for place, kind, options in MOUNTS]
        self.write()

    def write(self):
        with open(os.path.join(self.path, 'config.json'), 'w', encoding='utf-8') as file:
            json.dump(self.config, file, indent=2)


def scratch(t, tree):
    """A writable copy of a tree inside the suite's folder. Owns: the caller closes it."""
    try:
        return debian.Scratch(tree, t.folder)
    except debian.Unavailable as reason:
        raise harness.Skip(f'no Debian tree {tree}: {reason}') from None


def put(copy, files):
    """Copies {name inside: file of FOLDER} into a scratch copy."""
    for inside, name in files.items():
        with open(os.path.join(FOLDER, name), encoding='utf-8') as file:
            copy.write(inside, file.read(), 0o755)


def on_host(t, tree, words, files, env=(), seconds=300):
    with scratch(t, tree) as copy:
        put(copy, files)
        return subprocess.run(debian.host_command(copy.path, words, env, CAPS), capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=seconds, check=False, **TEXT)


def in_sandbox(t, tree, words, files, env=(), seconds=300):
    with scratch(t, tree) as copy:
        put(copy, files)
        bundle = DebianBundle(t.path(t.name('bundle')), copy, words, env)
        try:
            return t.runtime.run(bundle, t.name(), timeout=seconds, **TEXT)
        except subprocess.TimeoutExpired:
            t.force_end()  # else what is left of it keeps the copy busy
            raise


def difference(one, two):
    """Return: a unified diff of two texts, at most 80 lines; empty if they are the same byte for byte."""
    if one == two:
        return ''
    lines = list(difflib.unified_diff(one.splitlines(), two.splitlines(), 'host', 'sandbox', lineterm='', n=2))
    return '\n'.join(lines[:80]) or 'they differ in white space at the ends of lines'


# A shell tells of a job that a signal ended with its process id.
MASKS = [(re.compile(r'(: line \d+:) +\d+ '), r'\1 PID ')]


def masked(text, masks):
    for pattern, replacement in [*MASKS, *masks]:
        text = re.sub(pattern, replacement, text)
    return text


def same(t, tree, words, files=None, env=(), lines=5, seconds=200, masks=()):
    """The program says the same in both places, at least so many lines, and ends with status 0. Return: what it said.

    masks: (pattern, replacement) for what differs from one run to the next on one kernel: times, process ids.
    """
    host = on_host(t, tree, words, files or {}, env, seconds)
    t.equal(host.returncode, 0, f'status on the host ({host.stderr[-1500:]})')
    t.true(host.stdout.count('\n') >= lines, f'it said next to nothing on the host: {host.stdout!r} {host.stderr!r}')
    box = in_sandbox(t, tree, words, files or {}, env, seconds)
    for title in ('stdout', 'stderr'):
        diff = difference(masked(getattr(host, title), masks), masked(getattr(box, title), masks))
        t.true(not diff, f'{title} differs (status {box.returncode}):\n{diff}\nstderr in the sandbox: {box.stderr[-1500:]}')
    t.equal(box.returncode, host.returncode, 'status')
    return host.stdout


def main():
    words = sys.argv[1:]
    flags = []
    while words and words[0] in ('--host', '--terminal'):
        flags.append(words.pop(0))
    if not words:
        sys.exit('usage: compare.py [--host] [--terminal] TREE [WORD…]')
    tree, words = words[0], words[1:] or ['/bin/bash']
    t = harness.Suite(harness.binary_or_skip(), os.environ.get('RUNSC_PLATFORM', 'ptrace'))
    harness.become_subreaper()
    status = 1
    try:
        with scratch(t, tree) as copy:
            put(copy, {f'/t/{name}': name for name in os.listdir(FOLDER)})
            if '--host' in flags:
                status = subprocess.run(debian.host_command(copy.path, words, (), CAPS), check=False).returncode
            else:
                bundle = DebianBundle(t.path('bundle'), copy, words)
                bundle.config['process']['terminal'] = '--terminal' in flags
                bundle.write()
                status = subprocess.run(t.runtime.command('run', '--bundle', bundle.path, t.name()), check=False).returncode
            if os.environ.get('RUNSC_TEST_DEBUG'):
                print(f'debug log: {t.runtime.debug_log}', file=sys.stderr)
    finally:
        t.force_end()
        t.close()
    sys.exit(status)


if __name__ == '__main__':
    main()
