#!/usr/bin/env python3
"""Ends each of a sandbox's processes the hard way; afterwards `delete --force` leaves nothing, and others live on."""
import os
import signal
import subprocess
import time

import harness

BUSY = ['/bin/sh', '-c', 'sleep 1000 & (while :; do echo x > /tmp/f; done) & echo up; wait']


def family(t):
    """{pid: command} of what this driver's sandboxes consist of."""
    return {pid: harness.command_of(pid) for pid in harness.descendants(os.getpid())}


def started(t):
    bundle, name = t.bundle(BUSY), t.name()
    before = set(family(t))
    with open(t.path(f'{name}.out'), 'w+', encoding='utf-8') as out:
        t.succeeded(t.runtime.create(bundle, name, stdout=out), 'create')
        t.succeeded(t.runtime.call('start', name), 'start')
        t.true(harness.wait_until(lambda: 'up' in harness.read_text(out.name)), 'the container never said that it is up')
    return name, {pid: words for pid, words in family(t).items() if pid not in before}


def kill(pid, signo=signal.SIGKILL):
    try:
        os.kill(pid, signo)
    except ProcessLookupError:
        pass


def gone(t, name, what):
    """delete --force works within seconds, whatever is left, and state says so."""
    done = t.runtime.call('delete', '--force', name, timeout=20)
    t.succeeded(done, f'delete --force after {what}')
    t.refused(t.runtime.call('state', name), 'does not exist')
    t.equal(t.runtime.call('list', '--quiet').stdout.split(), [], 'list')
    left = t.clean(5)
    t.equal(left, [], f'left behind after {what}')


def kill_each_process(t):
    """SIGKILL of each single process of a sandbox in turn"""
    _, members = first = started(t)
    t.true(members, 'found no processes of the sandbox')
    gone(t, first[0], 'nothing')
    for number, words in enumerate(members.values()):
        name, members = started(t)
        victims = list(members)
        if number >= len(victims):
            gone(t, name, 'nothing')
            continue
        kill(victims[number])
        time.sleep(0.2)
        t.runtime.call('state', name, timeout=10)
        gone(t, name, f'SIGKILL of {words}')


def kill_all_at_once(t):
    """SIGKILL of all processes of a sandbox at once"""
    name, members = started(t)
    for pid in members:
        kill(pid)
    gone(t, name, 'SIGKILL of all')


def stopped_sentry(t):
    """a sandbox that does not answer (SIGSTOP) is deleted by force all the same"""
    t.only_ours('the Sentry')
    name, members = started(t)
    for pid, words in members.items():
        if 'sandbox' in words:
            kill(pid, signal.SIGSTOP)
    gone(t, name, 'SIGSTOP of the Sentry')


def stopped_gofer(t):
    """a gofer that does not answer neither"""
    t.only_ours('the gofer')
    name, members = started(t)
    for pid, words in members.items():
        if 'gofer' in words:
            kill(pid, signal.SIGSTOP)
    gone(t, name, 'SIGSTOP of the gofer')


def neighbour_lives(t):
    """the end of one sandbox does nothing to another"""
    other, _ = started(t)
    name, members = started(t)
    for pid in members:
        kill(pid)
    t.runtime.call('delete', '--force', name)
    t.equal(t.runtime.status(other), 'running', 'state of the other')
    t.equal(t.runtime.call('exec', other, '/bin/echo', 'alive').stdout, 'alive\n', 'exec in the other')
    gone(t, other, 'the end of its neighbour')


def killed_in_create(t):
    """runsc create killed at many moments: delete --force removes what there is"""
    for step in range(12):
        bundle, name = t.bundle(), t.name()
        process = subprocess.Popen(t.runtime.command('create', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.003 * step)
        process.kill()
        process.wait()
        t.succeeded(t.runtime.call('delete', '--force', name, timeout=20), f'delete --force after {3 * step} ms')
        left = t.clean(5)
        t.equal(left, [], f'left behind by create killed after {3 * step} ms')


def killed_run(t):
    """runsc run killed: the container ends or can be deleted by force"""
    bundle, name = t.bundle(BUSY), t.name()
    process = subprocess.Popen(t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    t.equal(process.stdout.readline(), 'up\n', 'first line')
    process.kill()
    process.wait()
    process.stdout.close()
    gone(t, name, 'SIGKILL of run')


def killed_exec(t):
    """runsc exec killed: its process ends, the container does not"""
    name, _ = started(t)
    process = subprocess.Popen(t.runtime.command('exec', name, '/bin/sh', '-c', 'echo in; sleep 777'), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    t.equal(process.stdout.readline(), 'in\n', 'first line')
    process.kill()
    process.wait()
    process.stdout.close()
    t.equal(t.runtime.status(name), 'running', 'state')
    if t.runtime.ours:
        t.true(harness.wait_until(lambda: '777' not in t.runtime.call('exec', name, '/bin/ps').stdout, 5), 'its process lives on')
    gone(t, name, 'SIGKILL of exec')


def two_deletes(t):
    """two deletes at the same time: both end, nothing is left"""
    name, _ = started(t)
    racers = [subprocess.Popen(t.runtime.command('delete', '--force', name), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    for racer in racers:
        racer.wait(20)
    gone(t, name, 'four deletes at once')


def starts_at_once(t):
    """two creates of one id: exactly one succeeds"""
    name, bundles = t.name(), [t.bundle(BUSY) for _ in range(4)]
    racers = [subprocess.Popen(t.runtime.command('create', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for bundle in bundles]
    good = [racer.wait(30) for racer in racers].count(0)
    t.equal(good, 1, 'creates that succeeded')
    gone(t, name, 'creates at once')


def churn(t):
    """fifty containers, two at a time: each succeeds and leaves nothing"""
    rounds = 5 if os.environ.get('RUNSC_TEST_MODE') == 'fast' else 25
    bundles = [t.bundle(['/bin/true']), t.bundle(['/bin/true'])]
    for _ in range(rounds):
        racers = [subprocess.Popen(t.runtime.command('run', '--bundle', bundle.path, t.name()), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for bundle in bundles]
        for racer in racers:
            error = racer.communicate(timeout=30)[1]
            t.equal(racer.returncode, 0, f'status ({error.strip()})')


harness.main(__doc__, [kill_each_process, kill_all_at_once, stopped_sentry, stopped_gofer, neighbour_lives, killed_in_create,
                       killed_run, killed_exec, two_deletes, starts_at_once, churn])
