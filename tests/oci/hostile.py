#!/usr/bin/env python3
"""A hostile program in one sandbox, a victim in another: whatever the first does matters to nobody else.

hostile.py PROGRAM [TEST…]: the program (tests/escape) attacks from inside; it may print TAP about what it saw, and it may be
killed for what it does (status 137 is a right answer to an attack). Each of its own `not ok` points is a failure; so
is a victim that stops, stalls or computes something wrong, a canary process or file of the host that changes, and anything left behind.
"""
import os
import re
import subprocess
import sys
import time

import harness

SECONDS = int(os.environ.get('HOSTILE_SECONDS', '120'))
# Counts, keeps a pattern in memory and in a file, and says so when either is not as it left it.
VICTIM = ('p=$(seq 1 500); echo "$p" > /tmp/pattern; n=0; echo up; while :; do n=$((n + 1)); '
          '[ "$p" = "$(cat /tmp/pattern)" ] || echo "WRONG $n"; echo $n > /tmp/count; done')
# A victim that has not counted on for this long is stalled. Generous: the attack takes its share of two CPUs.
STALL_SECONDS = 10

program, tests = None, []


class Victim:
    """The other sandbox, and a process and a file of the host beside it."""

    def __init__(self, t):
        self.t = t
        self.name, self.bundle = t.name('victim'), t.bundle(['/bin/sh', '-c', VICTIM])
        self.out = t.path('victim.out')
        with open(self.out, 'w', encoding='utf-8') as out:
            t.succeeded(t.runtime.create(self.bundle, self.name, stdout=out, stderr=out), 'create of the victim')
        t.succeeded(t.runtime.call('start', self.name), 'start of the victim')
        t.true(harness.wait_until(lambda: 'up' in harness.read_text(self.out), 20), 'the victim never said that it is up')
        self.secret = t.path('secret')
        with open(self.secret, 'w', encoding='utf-8') as file:
            file.write('the host\'s own\n')
        self.canary = subprocess.Popen(['sleep', '100000'], stdin=subprocess.DEVNULL)

    def count(self):
        done = self.t.runtime.call('exec', self.name, '/bin/cat', '/tmp/count', timeout=STALL_SECONDS)
        return int(done.stdout) if done.stdout.strip().isdigit() else 0

    def check(self):
        """The victim lives, counts on, has seen nothing wrong; canary and secret are as they were."""
        t = self.t
        t.equal(t.runtime.status(self.name), 'running', 'state of the victim')
        begin = self.count()
        t.true(harness.wait_until(lambda: self.count() > begin, STALL_SECONDS, 0.1), 'the victim is stalled')
        t.equal(harness.read_text(self.out), 'up\n', "the victim's output")
        t.equal(self.canary.poll(), None, 'status of a process of the host')
        t.equal(harness.read_text(self.secret), 'the host\'s own\n', 'a file of the host')

    def end(self):
        self.canary.kill()
        self.canary.wait()
        self.t.runtime.call('delete', '--force', self.name)


def attacker(t):
    """The hostile bundle and its id."""
    inside = '/hostile/' + os.path.basename(program)
    bundle = t.bundle([inside, *tests])
    bundle.add_file(program, inside)
    bundle.config['process']['env'].append(f'GUEST_SECONDS={SECONDS // 2}')
    bundle.write()
    return bundle, t.name('hostile')


def judge(t, output):
    """The attacker's own points: each `not ok` says that something got through."""
    bad = [line for line in output.splitlines() if re.match(r'^not ok\b(?!.*#\s*TODO)', line) or line.startswith('Bail out!')]
    for line in output.splitlines():
        print('# ' + line)
    t.true(not bad, 'it says that it got through: ' + '; '.join(bad))


def attack(t):
    """the attack gets nowhere, the victim and the host notice nothing"""
    victim = Victim(t)
    try:
        bundle, name = attacker(t)
        done = t.runtime.run(bundle, name, timeout=SECONDS)
        judge(t, done.stdout)
        good = (0, 137, 159) if t.runtime.ours else range(256)
        t.true(done.returncode in good, f'status {done.returncode}: {done.stderr.strip()[-500:]}')
        victim.check()
    finally:
        victim.end()


def attack_then_delete(t):
    """in the middle of the attack, delete --force ends it within seconds"""
    victim = Victim(t)
    try:
        bundle, name = attacker(t)
        process = subprocess.Popen(t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        t.succeeded(t.runtime.call('delete', '--force', name, timeout=20), 'delete --force')
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            t.fail('run does not end after delete --force')
        victim.check()
    finally:
        victim.end()


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit('usage: hostile.py PROGRAM [TEST…]')
    program, tests = sys.argv[1], sys.argv[2:]
    sys.argv[1:] = []
    harness.main(__doc__, [attack, attack_then_delete])
