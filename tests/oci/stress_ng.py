#!/usr/bin/env python3
"""stress-ng --verify: the stressors that pass in a default Docker container on the host pass in the sandbox.

stress_ng.tsv has every stressor of the classes below, with what it did in a default Docker container on the host's own
kernel (`stress_ng.py --survey` writes it anew), and for the few that can't pass in a sandbox the mechanism of the host that
forbids it. A point is one stressor, alone in a container with what Docker gives: its capabilities, its mounts, its limits;
and with a small disk of its own, since some fill it. By hand: stress_ng.py fcntl kill
"""
import os
import shutil
import stat
import subprocess
import sys

import debian
import docker
import harness

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stress_ng.tsv')
CLASSES = ['cpu', 'memory', 'vm', 'pipe', 'interrupt', 'os', 'filesystem', 'scheduler', 'device', 'network', 'io']
DISK = 6 << 30
MEMORY = 1 << 30
SECONDS = '1'
IMAGE = 'stress-ng-test'
CAPABILITIES = ['CAP_' + name for name in '''CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP
    NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'''.split()]
MASKED = ['/proc/asound', '/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats',
          '/proc/sched_debug', '/proc/scsi', '/sys/firmware']
READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

rootfs = None


def command(name):
    return ['/usr/bin/stress-ng', '--' + name, '1', '--verify', '--timeout', SECONDS, '--temp-path', '/tmp', '--no-rand-seed']


def make_tree(path):
    """stress-ng, what it links to, and busybox."""
    wide = debian.tree('wide')
    harness.make_rootfs(path)
    program = os.path.join(wide, 'usr/bin/stress-ng')
    libraries = subprocess.run(['chroot', wide, 'ldd', '/usr/bin/stress-ng'], capture_output=True, text=True, check=True).stdout
    files = ['/usr/bin/stress-ng'] + [word for line in libraries.splitlines() for word in line.split() if word.startswith('/')]
    for name in files:
        target = os.path.join(path, name.lstrip('/'))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.realpath(os.path.join(wide, name.lstrip('/'))) if name != '/usr/bin/stress-ng' else program, target)
        os.chmod(target, stat.S_IMODE(os.stat(target).st_mode) | 0o555)


def passed(done):
    text = (done.stdout or '') + (done.stderr or '')
    return done.returncode == 0 and 'skipp' not in text and 'No stress workers' not in text


def last_lines(done):
    lines = [line.split('] ', 1)[-1] for line in ((done.stdout or '') + (done.stderr or '')).splitlines()
             if 'fail' in line or 'skip' in line or 'error' in line or 'warn' in line]
    return f'status {done.returncode}: ' + ' | '.join(lines[-4:])


def read_list():
    """[(name, verdict, reason)]"""
    with open(LIST, encoding='utf-8') as file:
        rows = [line.rstrip('\n').split('\t') for line in file if line.strip() and not line.startswith('#')]
    return [(row[0], row[1], row[2] if len(row) > 2 else '') for row in rows]


def prepare(t):
    global rootfs
    image, disk = t.path('image'), t.path('disk')
    with open(image, 'wb') as file:
        file.truncate(DISK)
    os.mkdir(disk)
    subprocess.run(['mkfs.ext4', '-q', image], check=True)
    if subprocess.run(['mount', '-o', 'loop', image, disk], capture_output=True, check=False).returncode != 0:
        raise harness.Skip('no loop device')
    rootfs = os.path.join(disk, 'tree')
    try:
        make_tree(rootfs)
    except debian.Unavailable as why:
        raise harness.Skip(str(why)) from why
    t.baseline = set(t.leftovers())


def finish(t):
    subprocess.run(['umount', t.path('disk')], capture_output=True, check=False)


def bundle_of(t, name):
    bundle = harness.Bundle(os.path.join(t.path('disk'), name), command(name))
    shutil.rmtree(bundle.rootfs)
    # Hard links: nothing writes to them, and what a stressor makes is its own.
    shutil.copytree(rootfs, bundle.rootfs, symlinks=True, copy_function=os.link)
    config = bundle.config
    config['process']['env'] = ['PATH=/usr/bin:/bin', 'HOME=/root']
    config['process']['capabilities'] = {kind: CAPABILITIES for kind in ('bounding', 'effective', 'permitted')}
    config['process']['rlimits'] = [{'type': 'RLIMIT_NOFILE', 'soft': 20000, 'hard': 20000}]
    config['mounts'] = [
        {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
        {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755', 'size=65536k']},
        {'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts', 'options': ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666']},
        {'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['nosuid', 'noexec', 'nodev', 'ro']},
        {'destination': '/dev/mqueue', 'type': 'mqueue', 'source': 'mqueue', 'options': ['nosuid', 'noexec', 'nodev']},
        {'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm', 'options': ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']},
    ]
    config['linux']['resources'] = {'memory': {'limit': MEMORY}}
    config['linux']['cgroupsPath'] = f'/runsc-test-{os.getpid()}-stress'
    config['linux']['maskedPaths'] = MASKED
    config['linux']['readonlyPaths'] = READ_ONLY
    bundle.write()
    return bundle


def point(name, reason):
    def function(t):
        bundle = bundle_of(t, name)
        try:
            done = t.runtime.run(bundle, t.name(), timeout=90)
        finally:
            shutil.rmtree(bundle.path, ignore_errors=True)
        if not reason:
            t.true(passed(done), last_lines(done))
        else:
            t.true(not passed(done), f'passes, though it is listed: {reason}')
            raise harness.Skip(reason)
    function.__name__ = name
    function.__doc__ = f'stress-ng --{name}'
    return function


def names(t):
    found = []
    for kind in CLASSES:
        done = subprocess.run(['chroot', rootfs, '/usr/bin/stress-ng', '--class', kind + '?'], capture_output=True, text=True, check=False)
        for name in (done.stdout + done.stderr).split(':', 1)[1].split():
            if name not in found:
                found.append(name)
    return found


def survey(t):
    """What every stressor does in a default Docker container on this kernel."""
    prepare(t)
    docker.daemons = docker.Daemons(t)
    docker.daemons.start()
    try:
        subprocess.run(['tar', '-C', rootfs, '-cf', t.path('stress.tar'), '.'], check=True)
        t.succeeded(docker.daemons.call('import', t.path('stress.tar'), IMAGE), 'docker import')
        kept = {name: reason for name, _, reason in read_list()} if os.path.exists(LIST) else {}
        with open(LIST, 'w', encoding='utf-8') as file:
            file.write('# stressor, what it does in a default Docker container on the host, why it cannot pass in the sandbox\n')
            for name in names(t):
                try:
                    done = docker.daemons.call('run', '--rm', '--network', 'none', '-m', str(MEMORY), IMAGE, *command(name), timeout=90)
                    verdict = 'pass' if passed(done) else 'no'
                except subprocess.TimeoutExpired:
                    verdict = 'no'
                    docker.daemons.call('rm', '-f', *docker.daemons.call('ps', '-aq').stdout.split())
                file.write('\t'.join([name, verdict, kept.get(name, '')]).rstrip() + '\n')
                file.flush()
    finally:
        docker.finish(t)


def main():
    if '--survey' in sys.argv:
        docker.in_own_mounts()
        harness.become_subreaper()
        t = harness.Suite(harness.binary_or_skip(), 'ptrace')
        try:
            survey(t)
        finally:
            finish(t)
            t.services = set()
            t.force_end()
            t.close()
        return
    rows = [(name, reason) for name, verdict, reason in read_list() if verdict == 'pass']
    listed = [name for name, reason in rows if reason]
    if len(listed) > len(rows) * 0.02:
        print(f'Bail out! {len(listed)} exceptions of {len(rows)} stressors: at most 2 %')
        sys.exit(1)
    harness.main(__doc__, [point(*row) for row in rows], prepare, finish)


if __name__ == '__main__':
    main()
