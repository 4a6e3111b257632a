#!/usr/bin/env python3
"""Random load on sandboxes for a long time: whatever happens to some, a long-lived one counts on, and nothing is left behind.

SOAK_SECONDS (default 1800) and SOAK_SEED (default: the time, printed) decide what happens. Every step is printed as a comment, so the last lines
before a failure are the way to it.
"""
import os
import random
import signal
import subprocess
import time

import harness

SECONDS = float(os.environ.get('SOAK_SECONDS', '1800'))
SEED = int(os.environ.get('SOAK_SEED', str(int(time.time()))))
# Longer than any single step should take on a loaded machine.
STEP_SECONDS = 60
# What the long-lived sandbox may grow by over all the time, in kB: its caches fill, and then it stays.
GROWTH_KB = 8 << 10

LOADS = {
    'pipes': 'i=0; while [ $i -lt 60 ]; do echo $i | cat | sed s/1/2/ | wc -c >/dev/null; i=$((i+1)); done; echo done',
    'forks': 'i=0; while [ $i -lt 200 ]; do (true) ; i=$((i+1)); done; echo done',
    'files': 'mkdir /tmp/d; for i in $(seq 1 200); do echo $i > /tmp/d/$i; done; cat /tmp/d/* | sort -n | tail -1 >/dev/null; '
             'find /tmp/d -type f | wc -l >/dev/null; rm -rf /tmp/d; echo done',
    'root files': 'mkdir -p /root/d; for i in $(seq 1 50); do echo $i > /root/d/$i; done; tar cf /root/d.tar /root/d 2>/dev/null; rm -rf /root/d /root/d.tar; echo done',
    'jobs': 'for i in 1 2 3 4 5 6 7 8; do (dd if=/dev/zero bs=4k count=200 2>/dev/null | cksum >/dev/null) & done; wait; echo done',
    'signals': 'trap "n=$((n+1))" USR1; for i in $(seq 1 50); do kill -USR1 $$; done; echo done',
    'memory': 'dd if=/dev/zero bs=8M count=4 2>/dev/null | tail -c 1 >/dev/null; echo done',
    'sleepers': 'for i in $(seq 1 40); do sleep 100 & done; kill $(jobs -p); wait; echo done',
}
COUNTER = 'n=0; echo up; while :; do n=$((n + 1)); echo $n > /tmp/count; sleep 0.01; done'


class Soak:
    def __init__(self, t):
        self.t, self.random = t, random.Random(SEED)
        self.steps = 0
        self.name = t.name('longlived')
        self.bundles = [t.bundle() for _ in range(4)]
        out = t.path('longlived.out')
        with open(out, 'w', encoding='utf-8') as file:
            t.succeeded(t.runtime.create(t.bundle(['/bin/sh', '-c', COUNTER]), self.name, stdout=file), 'create')
        t.succeeded(t.runtime.call('start', self.name), 'start')
        t.true(harness.wait_until(lambda: 'up' in harness.read_text(out), 20), 'the long-lived container never came up')
        self.own = set(harness.descendants(os.getpid()))

    def count(self):
        text = self.t.runtime.call('exec', self.name, '/bin/cat', '/tmp/count', timeout=STEP_SECONDS).stdout.strip()
        return int(text) if text.isdigit() else 0

    def pss(self):
        """kB that the long-lived sandbox's own processes hold."""
        total = 0
        for pid in self.own:
            if harness.read_text(f'/proc/{pid}/comm').startswith('runsc'):
                for line in harness.read_text(f'/proc/{pid}/smaps_rollup').splitlines():
                    total += int(line.split()[1]) if line.startswith('Pss:') else 0
        return total

    def spawn(self, script):
        # In turn: at most three run at a time, so nobody else is reading the config.json that is written here.
        self.bundles.append(self.bundles.pop(0))
        bundle, name = self.bundles[-1], self.t.name('soak')
        bundle.config['process']['args'] = ['/bin/sh', '-c', script]
        bundle.write()
        return name, subprocess.Popen(self.t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finished(self, process, what):
        output, error = process.communicate(timeout=STEP_SECONDS)
        self.t.equal((process.returncode, output), (0, 'done\n'), f'{what} ({error.strip()[-300:]})')

    # steps
    def step_runs(self):
        chosen = self.random.sample(sorted(LOADS), self.random.randint(1, 3))
        for what, (_, process) in [(what, self.spawn(LOADS[what])) for what in chosen]:
            self.finished(process, what)

    def step_execs(self):
        what = self.random.choice(sorted(LOADS))
        done = self.t.runtime.call('exec', self.name, '/bin/sh', '-c', LOADS[what], timeout=STEP_SECONDS)
        self.t.equal((done.returncode, done.stdout), (0, 'done\n'), f'{what} by exec ({done.stderr.strip()[-300:]})')

    def step_deletes(self):
        name, process = self.spawn(LOADS[self.random.choice(sorted(LOADS))] + '; sleep 1000')
        time.sleep(self.random.random() * 0.5)
        self.t.succeeded(self.t.runtime.call('delete', '--force', name, timeout=STEP_SECONDS), 'delete --force')
        process.communicate(timeout=STEP_SECONDS)

    def step_kills_a_process(self):
        """SIGKILL of any one process of a sandbox, the Sentry and the gofer among them."""
        name, process = self.spawn(LOADS[self.random.choice(sorted(LOADS))] + '; sleep 1000')
        time.sleep(0.05 + self.random.random() * 0.3)
        others = sorted(set(harness.descendants(os.getpid())) - self.own)
        if others:
            try:
                os.kill(self.random.choice(others), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.t.succeeded(self.t.runtime.call('delete', '--force', name, timeout=STEP_SECONDS), 'delete --force after a kill')
        process.communicate(timeout=STEP_SECONDS)

    def step_signals(self):
        name, process = self.spawn('trap "exit 9" TERM; echo up; while :; do sleep 0.05; done')
        self.t.equal(process.stdout.readline(), 'up\n', 'first line')
        self.t.succeeded(self.t.runtime.call('kill', name, 'TERM', timeout=STEP_SECONDS), 'kill')
        process.communicate(timeout=STEP_SECONDS)
        self.t.equal(process.returncode, 9, 'status after TERM')

    def step_refused(self):
        done = self.t.runtime.call('run', '--bundle', '/nonexistent', self.t.name(), timeout=STEP_SECONDS)
        self.t.true(done.returncode != 0, 'a missing bundle was taken')

    def check(self):
        begin = self.count()
        self.t.true(harness.wait_until(lambda: self.count() > begin, STEP_SECONDS, 0.1), 'the long-lived sandbox is stalled')
        left = harness.wait_until(lambda: not set(harness.descendants(os.getpid())) - self.own - reaped(), 10, 0.1)
        self.t.true(left, f'left behind: {[harness.command_of(pid) for pid in set(harness.descendants(os.getpid())) - self.own]}')
        self.t.equal(self.t.runtime.call('list', '--quiet').stdout.split(), [self.name], 'containers')


def reaped():
    harness.reap()
    return set()


def soak(t):
    """random load; see the comments above for what happened"""
    load = Soak(t)
    steps = [load.step_runs, load.step_runs, load.step_execs, load.step_deletes, load.step_kills_a_process, load.step_signals, load.step_refused]
    print(f'# seed {SEED}, {SECONDS:.0f} s', flush=True)
    end, settled = time.monotonic() + SECONDS, None
    while time.monotonic() < end:
        step = load.random.choice(steps)
        load.steps += 1
        print(f'# {load.steps} {step.__name__}', flush=True)
        step()
        load.check()
        if load.steps == 30:
            settled = load.pss()
    if settled is not None:
        print(f'# PSS of the long-lived sandbox: {settled} kB after 30 steps, {load.pss()} kB after {load.steps}')
        t.true(load.pss() - settled < GROWTH_KB, f'it grew from {settled} to {load.pss()} kB')
    t.true(load.steps > 3, f'only {load.steps} steps')
    t.succeeded(t.runtime.call('delete', '--force', load.name), 'delete of the long-lived one')


harness.main(__doc__, [soak])
