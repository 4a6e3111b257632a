#!/usr/bin/env python3
"""busybox ash runs one long script: in the sandbox its output is the same as under chroot on the host."""
import difflib
import os
import shutil
import subprocess

import harness

SUITE = os.path.join(harness.ROOT, 'tests/guest/shell/suite.sh')
SECONDS = 120


def prepared(t, args=('/bin/sh', '/suite.sh')):
    if not os.path.exists(SUITE):
        raise harness.Skip('there is no tests/guest/shell/suite.sh')
    bundle = t.bundle(args)
    bundle.add_file(SUITE, '/suite.sh')
    return bundle


def on_host(t):
    """What the script says on the host's kernel: the same tree, changed root, pid, mount and other namespaces of its own."""
    bundle = prepared(t)
    script = (f'set -e; mount -t proc proc {bundle.rootfs}/proc; mount -t tmpfs -o mode=1777 tmpfs {bundle.rootfs}/tmp; '
              f'mount -t tmpfs tmpfs {bundle.rootfs}/dev; '
              + ''.join(f'mknod -m 666 {bundle.rootfs}/dev/{name} c 1 {minor}; '
                        for name, minor in (('null', 3), ('zero', 5), ('full', 7), ('random', 8), ('urandom', 9)))
              + f'ln -s /proc/self/fd {bundle.rootfs}/dev/fd; hostname guest; '
              f'exec chroot {bundle.rootfs} /bin/env -i PATH=/bin HOME=/root TERM=dumb /bin/sh /suite.sh')
    if not shutil.which('unshare'):
        raise harness.Skip('no unshare (package util-linux)')
    return subprocess.run(['unshare', '--mount', '--pid', '--uts', '--ipc', '--net', '--fork', '--kill-child', 'sh', '-c', script],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)


def same_output(t):
    """the script's output and status in the sandbox are the host's"""
    host = on_host(t)
    t.true(host.stdout.count('\n') > 20, f'the script said next to nothing on the host: {host.stdout!r} {host.stderr!r}')
    t.equal(host.returncode, 0, f'status on the host ({host.stderr[-300:]!r})')
    box = t.runtime.run(prepared(t), t.name(), timeout=SECONDS)
    for title, one, two in (('stdout', host.stdout, box.stdout), ('stderr', host.stderr, box.stderr)):
        diff = list(difflib.unified_diff(one.splitlines(), two.splitlines(), 'host', 'sandbox', lineterm='', n=1))
        t.true(not diff, f'{title} differs:\n' + '\n'.join(diff[:60]))
    t.equal(box.returncode, host.returncode, 'status')


def repeatable(t):
    """a second run in the sandbox says the same again"""
    one = t.runtime.run(prepared(t), t.name(), timeout=SECONDS)
    two = t.runtime.run(prepared(t), t.name(), timeout=SECONDS)
    t.equal(two.stdout, one.stdout, 'output of the second run')


def interactive_input(t):
    """a shell that reads its commands from stdin"""
    commands = 'x=4\nfor i in 1 2 3; do echo $((x * i)); done\ncat <<END\nhere $x\nEND\nf() { return 6; }\nf\nexit $?\n'
    done = t.runtime.run(t.bundle(['/bin/sh']), t.name(), input=commands)
    t.equal((done.stdout, done.returncode), ('4\n8\n12\nhere 4\n', 6), f'output, status ({done.stderr.strip()})')


harness.main(__doc__, [same_output, repeatable, interactive_input])
