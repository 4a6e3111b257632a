#!/usr/bin/env python3
"""Random load on sandboxes for a long time: whatever happens to some, a long-lived one answers on, and nothing is left behind.

SOAK_SECONDS (default 1800) and SOAK_SEED (default: the time, printed) decide what happens. Every step is printed as a comment, so the last lines
before a failure are the way to it.

Besides loads of the shell there is the guest program soak (GUEST_SOAK, default: beside RUNSC's build), which runs random loads of every area in
several processes and threads and checks each answer itself. At the beginning and at the end, when nothing runs in it, the long-lived sandbox must
have the same kernel objects of each type, the same host descriptors, threads and processes, and use no CPU; its memory may grow by GROWTH_KB.
A checked build (scripts/build debug) ends in a panic when a short sandbox leaves an object; a sanitizer's report fails the run too.
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
# How long a guest load takes, beside which a loaded machine or a sanitizer may take much more.
LOAD_SECONDS, LOAD_PATIENCE = 10, 400
# What may be more at the end: the gofer keeps the threads that it once needed (at most one a slot of its channel), and is given handles back
# in batches (RELEASE_BATCH of fs/gofer).
MAY_STAY = {'runsc-gofer threads': 17, 'runsc-gofer descriptors': 64}
# Until the last connection of a load has left TIME_WAIT, and what was killed is gone.
SETTLE_SECONDS = 120
# CPU ticks that the sandbox may use in IDLE_SECONDS without load: what is left over of the question that was asked before.
IDLE_SECONDS, IDLE_TICKS = 5, 1

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
# Counts the lines that it is given, and does nothing else.
COUNTER = 'n=0; mkfifo /tmp/go; echo up; while :; do while read line; do [ $line = end ] && exit 7; n=$((n + 1)); echo $n > /tmp/count; done < /tmp/go; done'
GUEST = '/guest/soak'


def guest_program():
    """The self-verifying load: made by the build that made the binary, unless GUEST_SOAK names another."""
    path = os.environ.get('GUEST_SOAK') or os.path.join(os.path.dirname(harness.binary_or_skip()), '../tests/guest/soak')
    if not os.access(path, os.X_OK):
        raise harness.Skip(f'no guest program at {path}: build it')
    return path


class Soak:
    def __init__(self, t):
        self.t, self.random = t, random.Random(SEED)
        self.steps = self.pokes = 0
        self.name = t.name('longlived')
        self.bundles = [t.bundle() for _ in range(4)]
        bundle, out = t.bundle(['/bin/sh', '-c', COUNTER]), t.path('longlived.out')
        for each in [*self.bundles, bundle]:
            each.add_file(guest_program(), GUEST)
        with open(out, 'w', encoding='utf-8') as file:
            t.succeeded(t.runtime.create(bundle, self.name, stdout=file), 'create')
        t.succeeded(t.runtime.call('start', self.name), 'start')
        t.true(harness.wait_until(lambda: 'up' in harness.read_text(out), 20), 'the long-lived container never came up')
        self.own = set(harness.descendants(os.getpid()))

    def poke(self):
        """The long-lived container's init takes one more line."""
        self.pokes += 1
        script = f'echo x > /tmp/go; while [ "$(cat /tmp/count 2>/dev/null)" != {self.pokes} ]; do sleep 0.02; done'
        done = self.t.runtime.call('exec', self.name, '/bin/sh', '-c', script, timeout=STEP_SECONDS)
        self.t.succeeded(done, 'a line for the long-lived container')

    def objects(self):
        """{type: count} of what lives in the long-lived sandbox."""
        done = self.t.runtime.call('debug', '--objects', self.name)
        self.t.succeeded(done, 'debug --objects')
        return {name: int(count) for count, name in (line.split() for line in done.stdout.splitlines()) if int(count)}

    def held(self):
        """What the long-lived sandbox holds of the host, when no other is there: processes, and threads and descriptors of our own ones."""
        now = harness.descendants(os.getpid())
        counts = {'processes': len(now)}
        for pid in now:
            name = harness.read_text(f'/proc/{pid}/comm').strip()
            if name.startswith('runsc'):
                counts[f'{name} threads'] = len(os.listdir(f'/proc/{pid}/task'))
                counts[f'{name} descriptors'] = len(os.listdir(f'/proc/{pid}/fd'))
        return counts

    def ticks(self):
        """CPU time that the long-lived sandbox has used."""
        return sum(int(fields[11]) + int(fields[12]) for fields in map(harness.stat_fields, self.own) if fields)

    def settled(self):
        """What the idle long-lived sandbox has: waits until nothing is on its way out. Return: (objects, held)."""
        last, same, end = None, 0, time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end and same < 3:
            time.sleep(2)
            now = self.objects(), self.held()
            same = same + 1 if now == last and not now[0].get('tcp_conn') else 0
            last = now
        return last

    def remember(self):
        """The state to come back to: caches know the names that the loads use, and the host descriptors of them are open."""
        for what in sorted(LOADS):
            self.exec_load(what)
        self.exec_guest(5)
        self.poke()
        self.before = self.settled()
        print(f'# idle: {self.before}', flush=True)

    def compare(self):
        objects, held = self.settled()
        for what, now, then in (('objects', objects, self.before[0]), ('of the host', held, self.before[1])):
            more = {name: (then.get(name, 0), n) for name, n in now.items() if n > then.get(name, 0) + MAY_STAY.get(name, 0)}
            self.t.equal(more, {}, f'{what}: what there is more of (before, now)')
        begin = self.ticks()
        time.sleep(IDLE_SECONDS)
        used = self.ticks() - begin
        self.t.true(used <= IDLE_TICKS, f'{used} ticks of CPU in {IDLE_SECONDS} s without load')

    def end(self):
        """Init ends by itself, so that a checked build looks for what it leaves."""
        pid = self.t.runtime.state_of(self.name)['pid']
        self.t.runtime.call('exec', self.name, '/bin/sh', '-c', 'echo end > /tmp/go', timeout=STEP_SECONDS)
        self.t.true(harness.wait_until(lambda: (harness.stat_fields(pid) or 'Z')[0] == 'Z', STEP_SECONDS), 'the sandbox did not end')
        self.t.equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7, "the sandbox's end")

    def pss(self):
        """kB that the long-lived sandbox's own processes hold."""
        total = 0
        for pid in self.own:
            if harness.read_text(f'/proc/{pid}/comm').startswith('runsc'):
                for line in harness.read_text(f'/proc/{pid}/smaps_rollup').splitlines():
                    total += int(line.split()[1]) if line.startswith('Pss:') else 0
        return total

    def spawn(self, args):
        # In turn: at most three run at a time, so nobody else is reading the config.json that is written here.
        self.bundles.append(self.bundles.pop(0))
        bundle, name = self.bundles[-1], self.t.name('soak')
        bundle.config['process']['args'] = args
        bundle.write()
        return name, subprocess.Popen(self.t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finished(self, process, what):
        output, error = process.communicate(timeout=STEP_SECONDS)
        self.t.equal((process.returncode, output), (0, 'done\n'), f'{what} ({error.strip()[-300:]})')

    # steps
    def step_runs(self):
        chosen = self.random.sample(sorted(LOADS), self.random.randint(1, 3))
        for what, (_, process) in [(what, self.spawn(shell(LOADS[what]))) for what in chosen]:
            self.finished(process, what)

    def guest_arguments(self, seconds):
        return [GUEST, '--helper', 'run', str(seconds), str(self.random.randrange(1 << 32)),
                str(self.random.randint(1, 4)), str(self.random.randint(1, 4))]

    def exec_guest(self, seconds):
        arguments = self.guest_arguments(seconds)
        print(f'# {" ".join(arguments)}', flush=True)
        done = self.t.runtime.call('exec', self.name, *arguments, timeout=seconds + LOAD_PATIENCE)
        self.t.equal(done.returncode, 0, f'the guest load by exec: {done.stdout[-3000:]} {done.stderr[-300:]}')

    def step_guest_runs(self):
        name, process = self.spawn(self.guest_arguments(LOAD_SECONDS))
        output, error = process.communicate(timeout=LOAD_SECONDS + LOAD_PATIENCE)
        self.t.equal(process.returncode, 0, f'the guest load in {name}: {output[-3000:]} {error[-300:]}')

    def step_guest_execs(self):
        self.exec_guest(LOAD_SECONDS)

    def step_guest_killed(self):
        name, process = self.spawn(self.guest_arguments(1000))
        time.sleep(self.random.random() * 5)
        self.t.succeeded(self.t.runtime.call('delete', '--force', name, timeout=STEP_SECONDS), 'delete --force')
        process.communicate(timeout=STEP_SECONDS)

    def step_execs(self):
        self.exec_load(self.random.choice(sorted(LOADS)))

    def exec_load(self, what):
        done = self.t.runtime.call('exec', self.name, '/bin/sh', '-c', LOADS[what], timeout=STEP_SECONDS)
        self.t.equal((done.returncode, done.stdout), (0, 'done\n'), f'{what} by exec ({done.stderr.strip()[-300:]})')

    def step_deletes(self):
        name, process = self.spawn(shell(LOADS[self.random.choice(sorted(LOADS))] + '; sleep 1000'))
        time.sleep(self.random.random() * 0.5)
        self.t.succeeded(self.t.runtime.call('delete', '--force', name, timeout=STEP_SECONDS), 'delete --force')
        process.communicate(timeout=STEP_SECONDS)

    def step_kills_a_process(self):
        """SIGKILL of any one process of a sandbox, the Sentry and the gofer among them."""
        load = shell(LOADS[self.random.choice(sorted(LOADS))] + '; sleep 1000')
        name, process = self.spawn(load if self.random.random() < 0.5 else self.guest_arguments(1000))
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
        name, process = self.spawn(shell('trap "exit 9" TERM; echo up; while :; do sleep 0.05; done'))
        self.t.equal(process.stdout.readline(), 'up\n', 'first line')
        self.t.succeeded(self.t.runtime.call('kill', name, 'TERM', timeout=STEP_SECONDS), 'kill')
        process.communicate(timeout=STEP_SECONDS)
        self.t.equal(process.returncode, 9, 'status after TERM')

    def step_refused(self):
        done = self.t.runtime.call('run', '--bundle', '/nonexistent', self.t.name(), timeout=STEP_SECONDS)
        self.t.true(done.returncode != 0, 'a missing bundle was taken')

    def check(self):
        self.poke()
        left = harness.wait_until(lambda: not set(harness.descendants(os.getpid())) - self.own - reaped(), 10, 0.1)
        self.t.true(left, f'left behind: {[harness.command_of(pid) for pid in set(harness.descendants(os.getpid())) - self.own]}')
        self.t.equal(self.t.runtime.call('list', '--quiet').stdout.split(), [self.name], 'containers')
        self.t.no_reports()


def shell(script):
    return ['/bin/sh', '-c', script]


def reaped():
    harness.reap()
    return set()


def soak(t):
    """random load; see the comments above for what happened"""
    t.only_ours('debug --objects')
    print(f'# seed {SEED}, {SECONDS:.0f} s', flush=True)
    load = Soak(t)
    steps = [load.step_runs, load.step_runs, load.step_execs, load.step_deletes, load.step_kills_a_process, load.step_signals, load.step_refused,
             load.step_guest_runs, load.step_guest_runs, load.step_guest_execs, load.step_guest_execs, load.step_guest_killed]
    load.remember()
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
    load.compare()
    load.end()
    t.succeeded(t.runtime.call('delete', '--force', load.name), 'delete of the long-lived one')


harness.main(__doc__, [soak])
