#!/usr/bin/env python3
"""Docker with this runtime: dockerd and containerd of the test's own, in a throw-away folder, without any network.

The image is an imported tar of busybox. The daemons live in a mount namespace of their own and are ended by their pids.
"""
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time

import harness

IMAGE = 'busybox-test'
PARENT = f'/runsc-test-{os.getpid()}-docker'
LOOP = 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'


class Daemons:
    """containerd and dockerd, and the way to call docker."""

    def __init__(self, t):
        self.t = t
        self.socket = t.path('docker.sock')
        self.children = []
        self.client = shutil.which('docker', path='/usr/bin') or shutil.which('docker')

    def spawn(self, words, log):
        with open(self.t.path(log), 'ab') as out:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.t.folder)
        self.children.append(child)
        self.t.services.add(child.pid)
        return child

    def tail(self, log):
        return ' | '.join(harness.read_text(self.t.path(log)).splitlines()[-5:])

    def start(self):
        t = self.t
        address = t.path('containerd.sock')
        with open(t.path('containerd.toml'), 'w', encoding='utf-8') as file:
            file.write('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",\n'
                       '"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]\n')
        self.spawn(['containerd', '--config', t.path('containerd.toml'), '--root', t.path('containerd'), '--state',
                    t.path('containerd-state'), '--address', address], 'containerd.log')
        if not harness.wait_until(lambda: os.path.exists(address), 20):
            raise harness.Skip('containerd does not start here: ' + self.tail('containerd.log'))
        arguments = [f'--platform={t.runtime.platform}'] if t.runtime.ours else []
        if os.environ.get('RUNSC_TEST_DEBUG') and t.runtime.ours:
            arguments += ['--debug', f'--debug-log={t.runtime.debug_log}']
        with open(t.path('daemon.json'), 'w', encoding='utf-8') as file:
            json.dump({'runtimes': {'runsc': {'path': t.runtime.binary, 'runtimeArgs': arguments}},
                       'cgroup-parent': PARENT}, file)
        self.spawn(['dockerd', '--config-file', t.path('daemon.json'), '--data-root', t.path('data'), '--exec-root', t.path('exec'),
                    '--host', 'unix://' + self.socket, '--pidfile', t.path('docker.pid'), '--containerd', address,
                    '--storage-driver', 'vfs', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false',
                    '--bridge=none', '--userland-proxy=false', '--exec-opt', 'native.cgroupdriver=cgroupfs'], 'dockerd.log')
        if not harness.wait_until(lambda: self.call('version').returncode == 0, 40, 0.2):
            raise harness.Skip('dockerd does not start here: ' + self.tail('dockerd.log'))

    def stop(self):
        """dockerd first; then containerd."""
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def call(self, *words, timeout=60, **more):
        if 'input' not in more:
            more['stdin'] = subprocess.DEVNULL
        env = {'PATH': os.environ['PATH'], 'HOME': self.t.folder, 'DOCKER_HOST': 'unix://' + self.socket}
        return subprocess.run([self.client, *words], capture_output=True, text=True, timeout=timeout, env=env, check=False, **more)

    def run(self, *words, flags=(), **more):
        return self.call('run', '--rm', '--runtime=runsc', '--network', 'none', *flags, IMAGE, *words, **more)

    def detached(self, *words, flags=()):
        """A running container. Return: its id."""
        done = self.call('run', '-d', '--runtime=runsc', '--network', 'none', *flags, IMAGE, *words)
        self.t.succeeded(done, 'docker run -d')
        return done.stdout.strip()

    def looping(self):
        name = self.detached('/bin/sh', '-c', LOOP)
        self.t.true(harness.wait_until(lambda: 'up' in self.call('logs', name).stdout, 10, 0.1), 'the container never said up')
        return name

    def inspect(self, name, form):
        return self.call('inspect', '--format', form, name).stdout.strip()

    def remove(self, name):
        self.t.succeeded(self.call('rm', '-f', name), 'docker rm -f')


daemons = None


def prepare(t):
    global daemons
    for program in ('dockerd', 'containerd', 'docker'):
        if not shutil.which(program):
            raise harness.Skip(f'no {program} (packages docker.io and containerd)')
    daemons = Daemons(t)
    daemons.start()
    tree = t.path('image')
    harness.make_rootfs(tree)
    with tarfile.open(t.path('image.tar'), 'w') as tar:
        tar.add(tree, arcname='.')
    t.succeeded(daemons.call('import', t.path('image.tar'), IMAGE), 'docker import')
    # dockerd makes the parent cgroup at the first container and keeps it.
    parents = [f'cgroup {os.path.normpath("/sys/fs/cgroup/" + name + PARENT)}' for name in ['.', *os.listdir('/sys/fs/cgroup')]]
    t.baseline = set(t.leftovers()) | set(parents)


def finish(t):
    if daemons:
        if daemons.children[1:]:
            for name in daemons.call('ps', '-aq').stdout.split():
                daemons.call('rm', '-f', name)
        daemons.stop()


def info(t):
    """docker info lists the runtime"""
    t.contains(daemons.call('info').stdout, 'runsc', 'docker info')


def hello(t):
    """docker run prints Hello from gVisor, status 0"""
    done = daemons.run('echo', 'Hello from gVisor')
    t.equal((done.stdout, done.returncode), ('Hello from gVisor\n', 0), f'output, status ({done.stderr.strip()})')


def statuses(t):
    """exit codes arrive, and 127 and 126 for programs that are missing or no programs"""
    for words, status in ((['sh', '-c', 'exit 3'], 3), (['sh', '-c', 'exit 255'], 255), (['nowhere'], 127), (['/etc/passwd'], 126)):
        done = daemons.run(*words)
        t.equal(done.returncode, status, f'status of {words} ({done.stderr.strip()})')


def stdio(t):
    """stdin goes in with -i, stdout and stderr come apart"""
    done = daemons.run('sh', '-c', 'cat; echo err >&2', flags=['-i'], input='in\n')
    t.equal((done.stdout, done.stderr), ('in\n', 'err\n'), 'stdout, stderr')


def exec_version(t):
    """docker exec cat /proc/version shows the sandbox's kernel"""
    name = daemons.looping()
    done = daemons.call('exec', name, 'cat', '/proc/version')
    daemons.remove(name)
    t.succeeded(done, 'docker exec')
    t.only_ours('the text')
    t.equal(done.stdout, harness.VERSION_TEXT + '\n', '/proc/version')


def exec_statuses(t):
    """docker exec: status, user, working directory, environment, a missing program"""
    name = daemons.looping()
    t.equal(daemons.call('exec', name, 'sh', '-c', 'exit 9').returncode, 9, 'status')
    done = daemons.call('exec', '-u', '5:6', '-w', '/tmp', '-e', 'A=b', name, 'sh', '-c', 'id -u; id -g; pwd; echo $A')
    t.equal(done.stdout.split(), ['5', '6', '/tmp', 'b'], f'output ({done.stderr.strip()})')
    t.true(daemons.call('exec', name, 'nowhere').returncode in (126, 127), 'status of a missing program')
    done = daemons.call('exec', '-i', name, 'cat', input='through')
    t.equal(done.stdout, 'through', 'stdin of exec')
    daemons.remove(name)


def stop(t):
    """docker stop sends TERM, and the program's own status is kept"""
    name = daemons.looping()
    begin = time.monotonic()
    t.succeeded(daemons.call('stop', '-t', '10', name), 'docker stop')
    t.true(time.monotonic() - begin < 8, 'it had to be killed')
    t.equal(daemons.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 7', 'state')
    daemons.remove(name)


def stop_kills(t):
    """docker stop of a program that ignores TERM: killed after the time, 137"""
    name = daemons.detached('sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done')
    t.succeeded(daemons.call('stop', '-t', '1', name), 'docker stop')
    t.equal(daemons.inspect(name, '{{.State.ExitCode}}'), '137', 'status')
    daemons.remove(name)


def kill(t):
    """docker kill, by default and with a signal"""
    name = daemons.looping()
    t.succeeded(daemons.call('kill', '-s', 'TERM', name), 'docker kill -s TERM')
    t.equal(daemons.call('wait', name).stdout.strip(), '7', 'status after TERM')
    daemons.remove(name)
    name = daemons.looping()
    t.succeeded(daemons.call('kill', name), 'docker kill')
    t.equal(daemons.call('wait', name).stdout.strip(), '137', 'status after KILL')
    daemons.remove(name)


def remove_force(t):
    """docker rm -f of a running container"""
    name = daemons.looping()
    daemons.remove(name)
    t.equal(daemons.call('ps', '-aq', '--no-trunc').stdout.count(name), 0, 'containers left')


def top(t):
    """docker top shows the container's processes"""
    name = daemons.looping()
    done = daemons.call('top', name)
    daemons.remove(name)
    t.succeeded(done, 'docker top')
    t.true(len(done.stdout.splitlines()) >= 2, f'rows: {done.stdout}')


def logs(t):
    """docker logs has both streams"""
    name = daemons.detached('sh', '-c', 'echo out; echo err >&2')
    daemons.call('wait', name)
    done = daemons.call('logs', name)
    daemons.remove(name)
    t.equal((done.stdout, done.stderr), ('out\n', 'err\n'), 'logs')


def wait(t):
    """docker wait prints the status"""
    name = daemons.detached('sh', '-c', 'sleep 0.5; exit 11')
    t.equal(daemons.call('wait', name).stdout.strip(), '11', 'status')
    daemons.remove(name)


def restart(t):
    """docker restart; what was written to the root is still there"""
    name = daemons.detached('sh', '-c', 'echo start >> /root/count; cat /root/count; while :; do sleep 0.05; done')
    t.true(harness.wait_until(lambda: 'start' in daemons.call('logs', name).stdout, 10, 0.1), 'no output')
    t.succeeded(daemons.call('restart', '-t', '0', name), 'docker restart')
    t.true(harness.wait_until(lambda: daemons.call('logs', name).stdout.count('start') == 3, 10, 0.1),
           f"logs: {daemons.call('logs', name).stdout!r}")
    daemons.remove(name)


def copy_and_diff(t):
    """docker cp and diff see what the container wrote"""
    name = daemons.detached('sh', '-c', 'echo made > /root/made; sleep 1000')
    t.true(harness.wait_until(lambda: daemons.call('exec', name, 'cat', '/root/made').returncode == 0, 10, 0.1), 'no file')
    t.contains(daemons.call('diff', name).stdout, '/root/made', 'docker diff')
    t.succeeded(daemons.call('cp', f'{name}:/root/made', t.path('made')), 'docker cp')
    t.equal(harness.read_text(t.path('made')), 'made\n', 'the copied file')
    daemons.remove(name)


def restrictions(t):
    """--user, --read-only, --cap-drop, no-new-privileges and a volume hold together"""
    volume = t.path('volume')
    os.makedirs(volume)
    os.chown(volume, 1000, 1000)
    script = ('id -u; echo x > /file 2>/dev/null && echo root written; echo x > /state/file && echo state written; '
              'grep CapEff /proc/self/status')
    done = daemons.run('sh', '-c', script, flags=['--user', '1000:1000', '--read-only', '--cap-drop', 'ALL', '--security-opt',
                                                  'no-new-privileges', '-v', f'{volume}:/state'])
    t.equal(done.stdout.split('\n')[:2], ['1000', 'state written'], f'output ({done.stderr.strip()})')
    t.contains(done.stdout, 'CapEff:\t0000000000000000', 'capabilities')


def limits(t):
    """-m and --cpus are taken"""
    done = daemons.run('echo', 'fine', flags=['-m', '256m', '--cpus', '1', '--pids-limit', '50'])
    t.equal(done.stdout, 'fine\n', f'output ({done.stderr.strip()})')


def many(t):
    """ten containers, five at a time"""
    names = [daemons.detached('sh', '-c', f'echo {number}') for number in range(10)]
    for number, name in enumerate(names):
        t.equal(daemons.call('wait', name).stdout.strip(), '0', 'status')
        t.equal(daemons.call('logs', name).stdout, f'{number}\n', 'logs')
    t.succeeded(daemons.call('rm', *names), 'docker rm')


def in_own_mounts():
    """Starts this driver again in a mount namespace of its own, so that no mount of the daemons can stay behind."""
    if os.environ.get('RUNSC_TEST_MOUNTS') != 'own' and os.getuid() == 0 and shutil.which('unshare'):
        os.environ['RUNSC_TEST_MOUNTS'] = 'own'
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable, *sys.argv])


if __name__ == '__main__':
    in_own_mounts()
    harness.main(__doc__, [info, hello, statuses, stdio, exec_version, exec_statuses, stop, stop_kills, kill, remove_force, top, logs, wait,
                           restart, copy_and_diff, restrictions, limits, many], prepare, finish)
