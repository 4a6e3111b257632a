#!/usr/bin/env python3
"""The command line is killed at any instant of a verb: `delete --force` then leaves nothing.

strace counts a verb's system calls and, in further runs, sends SIGKILL at one of them. By default every third one is
tried; RUNSC_CRASH_STEP=1 tries all.
"""
import os
import re
import shutil
import subprocess

import harness

STEP = int(os.environ.get('RUNSC_CRASH_STEP', '3'))
RESERVATIONS = '/run/runsc-uids'
CALL = re.compile(r'([a-z_0-9]+)\(')
# What comes before a verb's own work is libc's.
FIRST = 'geteuid', 'newfstatat', 'mkdirat', 'socket'


def traced(t, options, *verb):
    return subprocess.run(['strace', *options, *t.runtime.command(*verb)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)


def calls_of(text):
    """[(name, how many of that name up to here)] of a trace, from the verb's own first call on."""
    counts, calls, begun = {}, [], False
    for line in text.splitlines():
        match = CALL.match(line)
        if not match:
            continue
        name = match.group(1)
        counts[name] = counts.get(name, 0) + 1
        begun = begun or name in FIRST
        if begun:
            calls.append((name, counts[name]))
    return calls


def reservations(t):
    """Host ids that containers of this driver's state folder still have."""
    if not os.path.isdir(RESERVATIONS):
        return []
    return [name for name in os.listdir(RESERVATIONS)
            if harness.read_text(os.path.join(RESERVATIONS, name)).startswith(t.runtime.state)]


def nothing_left(t, name, where):
    done = t.runtime.call('delete', '--force', name, timeout=30)
    t.succeeded(done, f'delete --force after a kill at {where}')
    t.equal(t.clean(5), [], f'left behind after a kill at {where}')
    t.equal(os.listdir(t.runtime.state), [], f'state folder after a kill at {where}')
    t.equal(reservations(t), [], f'host ids after a kill at {where}')


def at_each_call(t, prepare, *verb):
    """Runs a verb, with a fresh container each time, killed at one call after another."""
    if not shutil.which('strace'):
        raise harness.Skip('needs strace')
    t.only_ours('the order of its steps')
    trace = t.path('trace')
    name = t.name()
    bundle = prepare(name)
    arguments = [word if word != 'BUNDLE' else bundle.path for word in verb]
    t.equal(traced(t, ['-o', trace], *arguments, name).returncode, 0, f'{verb[0]} under strace')
    nothing_left(t, name, 'its end')
    calls = calls_of(harness.read_text(trace))
    t.true(len(calls) > 20, f'only {len(calls)} calls seen')
    for call, count in calls[::STEP]:
        name = t.name()
        bundle = prepare(name)
        arguments = [word if word != 'BUNDLE' else bundle.path for word in verb]
        traced(t, ['-o', '/dev/null', '-e', f'inject={call}:signal=SIGKILL:when={count}'], *arguments, name)
        t.runtime.call('state', name, timeout=10)
        nothing_left(t, name, f'{call} {count}')


def bundle_for(t, name):
    bundle = t.bundle(['/bin/sleep', '100'])
    bundle.config['linux']['cgroupsPath'] = f'/runsc-crash/{name}'
    bundle.write()
    return bundle


def created_for(t, name):
    bundle = bundle_for(t, name)
    t.succeeded(t.runtime.create(bundle, name), 'create')
    return bundle


def create_killed(t):
    """create, killed"""
    at_each_call(t, lambda name: bundle_for(t, name), 'create', '--bundle', 'BUNDLE')


def start_killed(t):
    """start, killed"""
    at_each_call(t, lambda name: created_for(t, name), 'start')


def delete_killed(t):
    """delete --force, killed"""
    at_each_call(t, lambda name: created_for(t, name), 'delete', '--force')


def remove_parents(t):
    for top in os.listdir('/sys/fs/cgroup'):
        try:
            os.rmdir(f'/sys/fs/cgroup/{top}/runsc-crash')
        except OSError:
            pass


if __name__ == '__main__':
    harness.main(__doc__, [create_killed, start_killed, delete_killed], finish=remove_parents)
