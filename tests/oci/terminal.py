#!/usr/bin/env python3
"""Terminals: run and exec with one, job control at its keyboard, new sizes, hangups; the same through Docker; programs that draw.

The test is at the master's side of a host's pty, as a person at a terminal is, or as a shim is that got the master over the console
socket.
"""
import array
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time

import docker
import harness

PROMPT = b'PROMPT> '
ENV = ['PATH=/bin:/usr/bin', 'HOME=/root', 'TERM=xterm', 'PS1=' + PROMPT.decode()]
SECONDS = 20


class Screen:
    """The master of a pty: what is typed and what is shown."""

    def __init__(self, master):
        self.master = master
        self.shown = b''

    def close(self):
        os.close(self.master)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self, seconds):
        """What comes within that time, or at once what is there. Return: False at the end of it all."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            more = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += more
        return bool(more)

    def wait(self, text, seconds=SECONDS):
        """Until text has been shown. Return: what was shown up to its end, or None."""
        until = time.monotonic() + seconds
        while True:
            match = re.search(text, self.shown, re.S)
            if match:
                before, self.shown = self.shown[:match.end()], self.shown[match.end():]
                return before
            if time.monotonic() > until or not self.read(0.1) and not re.search(text, self.shown, re.S):
                return None

    def end(self, seconds=SECONDS):
        """Until the other side has closed. Return: what was shown, or None if it has not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.read(0.1):
                return self.shown
        return None

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)


class Job:
    """A command of the host with a terminal of its own, as a person's shell would start it."""

    def __init__(self, t, words, rows=24, columns=80, env=None):
        self.t = t
        master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.screen = Screen(master)
        self.screen.resize(rows, columns)
        self.slave = slave

        def lead():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, preexec_fn=lead, env=env)

    def see(self, text, what):
        shown = self.screen.wait(text)
        self.t.true(shown is not None, f'{what}: not seen; the screen has {self.screen.shown[-300:]!r}')
        return shown

    def command(self, line, wanted=None, what=None):
        """Type a line; what is shown up to the next prompt."""
        self.screen.type(line + '\r')
        shown = self.see(re.escape(PROMPT), what or line)
        if wanted is not None:
            self.t.true(re.search(wanted, shown), f'{what or line}: shown is {shown!r}')
        return shown

    def key(self, key, wanted, what):
        """A key for the program in the foreground; again, since the shell may not have put it there yet."""
        for _ in range(10):
            self.screen.type(key)
            if self.screen.wait(wanted, 2) is not None:
                return
        self.t.fail(f'{what}: not seen; the screen has {self.screen.shown[-300:]!r}')

    def finish(self, status, keep=False):
        try:
            self.t.equal(self.process.wait(SECONDS), status, 'status of the command')
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.t.fail('the command did not end')
        self.t.equal(termios.tcgetattr(self.slave)[:4], self.before[:4], 'settings of the terminal afterwards')
        if not keep:
            self.close()

    def close(self):
        os.close(self.slave)
        self.screen.close()


def terminal_bundle(t, args, **process):
    bundle = t.bundle(args)
    bundle.config['process'].update({'terminal': True, 'env': ENV, **process})
    bundle.write()
    return bundle


def add_program(t, bundle, *programs):
    """A program of the host with its libraries, and what a terminal of type xterm can do."""
    for program in programs:
        path = shutil.which(program)
        if not path:
            raise harness.Skip(f'no {program} here')
        listed = subprocess.run(['ldd', path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r'(/\S+\.so\S*)', listed):
            bundle.add_file(library, library)
        bundle.add_file(path, '/usr/bin/' + program)
    for kind in ('x/xterm', 's/screen'):
        for folder in ('/lib/terminfo', '/usr/share/terminfo'):
            if os.path.exists(f'{folder}/{kind}'):
                bundle.add_file(f'{folder}/{kind}', f'/lib/terminfo/{kind}')
    if os.path.exists('/usr/lib/locale/C.utf8'):
        shutil.copytree('/usr/lib/locale/C.utf8', bundle.rootfs + '/usr/lib/locale/C.utf8')


def run_job(t, bundle, **more):
    return Job(t, t.runtime.command('run', '--bundle', bundle.path, t.name()), **more)


def bash_job(t, *programs, **more):
    """bash in a container, at its first prompt."""
    bundle = terminal_bundle(t, ['/usr/bin/bash', '--norc', '-i'])
    add_program(t, bundle, 'bash', *programs)
    job = run_job(t, bundle, **more)
    job.see(re.escape(PROMPT), 'the first prompt')
    return job


def what_it_is(t):
    """run with a terminal: its name, its device, its size, its owner"""
    job = run_job(t, terminal_bundle(t, ['/bin/sh', '-i']), rows=33, columns=101)
    job.see(re.escape(PROMPT), 'the first prompt')
    job.command('tty', rb'/dev/pts/0\r\n')
    job.command('stty size', rb'\n33 101\r\n')
    job.command('ls -l /dev/console /dev/pts/0', rb'136, +0 .*/dev/console\r\n.*136, +0 .*/dev/pts/0\r\n')
    job.command('test -t 0 -a -t 1 -a -t 2 && echo all three', rb'\nall three\r\n')
    job.command('readlink /proc/self/fd/0', rb'\n/dev/pts/0\r\n')
    job.command('echo to it >/dev/tty', rb'\nto it\r\n')
    job.command('echo to it >/dev/console', rb'\nto it\r\n')
    job.screen.type('exit 5\r')
    job.finish(5)


def own_user(t):
    """the terminal belongs to the process's user"""
    job = run_job(t, terminal_bundle(t, ['/bin/sh', '-i'], user={'uid': 1234, 'gid': 99}))
    job.see(re.escape(PROMPT), 'the first prompt')
    job.command('ls -ln /dev/pts/0', rb'\ncrw--w---- .* 1234 +5 ')
    job.command('echo x >/dev/pts/0', rb'\nx\r\n')
    job.screen.type('\x04')
    job.finish(0)


def console_size(t):
    """consoleSize is the size of a terminal that runsc makes"""
    bundle = terminal_bundle(t, ['/bin/stty', 'size'], consoleSize={'height': 17, 'width': 71})
    with ConsoleSocket(t) as console:
        name = t.name()
        t.succeeded(t.runtime.create(bundle, name, '--console-socket', console.path), 'create')
        screen = console.master()
        t.succeeded(t.runtime.call('start', name), 'start')
        t.equal(screen.end(), b'17 71\r\n', 'what it showed before it closed')
        screen.close()
        t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state')
        t.succeeded(t.runtime.call('delete', name), 'delete')


def jobs_in_ash(t):
    """busybox ash: ^C, ^Z, jobs, fg, bg, background reads"""
    job_control(t, run_job(t, terminal_bundle(t, ['/bin/sh', '-i'])))


def jobs_in_bash(t):
    """bash: ^C, ^Z, jobs, fg, bg, background reads"""
    job_control(t, bash_job(t))


def job_control(t, job):
    job.screen.type('\r')
    job.see(re.escape(PROMPT), 'a prompt')
    job.screen.type('sleep 1000\r')
    job.see(b'sleep 1000\r\n', 'the command')
    time.sleep(0.3)
    job.key('\x03', rb'\^C.*' + re.escape(PROMPT), 'the prompt after ^C')
    job.command('echo status $?', rb'status 130\r\n')
    job.screen.type('cat\r')
    job.see(rb'cat\r\n', 'cat')
    time.sleep(0.3)
    job.screen.type('echoed\r')
    job.see(rb'echoed\r\nechoed\r\n', 'what cat shows')
    job.key('\x1a', rb'Stopped.*' + re.escape(PROMPT), 'that cat stopped')
    job.command('jobs', rb'Stopped +cat')
    job.screen.type('fg\r')
    job.see(rb'cat\r\n', 'cat in the foreground')
    time.sleep(0.3)
    job.screen.type('again\r')
    job.see(rb'again\r\nagain\r\n', 'what cat shows')
    job.screen.type('\x04')
    job.see(re.escape(PROMPT), 'the prompt after the end of file')
    job.command('cat &')
    time.sleep(0.3)
    job.command('', rb'Stopped', 'that reading in the background stops')
    job.command('kill -9 %1; wait; echo gone', rb'gone\r\n')
    job.command('(sleep 0.2; echo late) & wait', rb'late\r\n')
    job.command('sleep 0.5 & kill -STOP $!; sleep 0.2; kill -CONT $!; wait; echo all', rb'all\r\n')
    job.screen.type('exit 3\r')
    if not harness.wait_until(lambda: job.process.poll() is not None, 3):
        job.screen.type('exit 3\r')  # ash warns once if it thinks that a job is stopped
    job.finish(3)


def quit_key(t):
    """^\\ ends a program by SIGQUIT"""
    job = run_job(t, terminal_bundle(t, ['/bin/sh', '-c', 'echo up; sleep 1000; echo $?']))
    job.see(b'up\r\n', 'up')
    time.sleep(0.3)
    job.key('\x1c', b'131\r\n', 'status of the program')
    job.finish(0)


def resize(t):
    """a new size arrives as SIGWINCH and in stty"""
    script = 'trap "stty size" WINCH; trap "exit 0" INT; echo up; while :; do sleep 0.05; done'
    job = run_job(t, terminal_bundle(t, ['/bin/sh', '-c', script]))
    job.see(b'up\r\n', 'up')
    job.screen.resize(50, 120)
    job.see(rb'50 120\r\n', 'the new size')
    job.screen.resize(10, 20)
    job.see(rb'10 20\r\n', 'the next size')
    job.screen.type('\x03')
    job.finish(0)


def much_output(t):
    """all that is written is shown, in order, whatever the reader's pace; nothing is lost at the end"""
    job = run_job(t, terminal_bundle(t, ['/bin/seq', '1', '30000']))
    time.sleep(0.5)
    shown = b''
    while True:
        try:
            if not select.select([job.screen.master], [], [], 5)[0]:
                break
            shown += os.read(job.screen.master, 65536)
        except OSError:
            break
        if job.process.poll() is not None and not select.select([job.screen.master], [], [], 0.2)[0]:
            break
    t.true(shown == b''.join(b'%d\r\n' % n for n in range(1, 30001)), f'{len(shown)} bytes shown, the last {shown[-30:]!r}')
    job.finish(0)


def much_input(t):
    """a long paste arrives whole"""
    job = run_job(t, terminal_bundle(t, ['/bin/sh', '-c', 'stty -echo; echo up; md5sum']))
    job.see(b'up\r\n', 'up')
    text = b''.join(b'line %d of a paste\n' % n for n in range(5000))
    for at in range(0, len(text), 1000):
        job.screen.type(text[at:at + 1000])
    job.screen.type('\x04')
    digest = subprocess.run(['md5sum'], input=text, capture_output=True, check=True).stdout.split()[0]
    job.see(digest, 'the digest')
    job.finish(0)


def hangup(t):
    """the terminal goes: SIGHUP, end of file"""
    script = 'trap "echo hup >/out; exit 4" HUP; echo up; while :; do sleep 0.05; done'
    bundle = terminal_bundle(t, ['/bin/sh', '-c', script])
    with ConsoleSocket(t) as console:
        name = t.name()
        t.succeeded(t.runtime.create(bundle, name, '--console-socket', console.path), 'create')
        screen = console.master()
        t.succeeded(t.runtime.call('start', name), 'start')
        t.true(screen.wait(b'up\r\n') is not None, 'it never said up')
        screen.close()
        t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state after the hangup')
        t.equal(harness.read_text(bundle.rootfs + '/out'), 'hup\n', 'what its trap wrote')
        t.succeeded(t.runtime.call('delete', name), 'delete')


class ConsoleSocket:
    """A console socket, as a shim has one."""

    def __init__(self, t):
        self.t = t
        self.path = t.path(t.name('sock'))

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(SECONDS)
        return self

    def __exit__(self, *_):
        self.listener.close()

    def master(self):
        """The screen whose master came."""
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(SECONDS)
            _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(16))
        fds = array.array('i')
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(data[:len(data) // 4 * 4])
        self.t.equal(len(fds), 1, 'descriptors that came over the console socket')
        return Screen(fds[0])


def console_socket(t):
    """create --console-socket: the master comes, sizes set on it arrive, closing all is an end"""
    bundle = terminal_bundle(t, ['/bin/sh', '-i'])
    with ConsoleSocket(t) as console:
        name = t.name()
        t.succeeded(t.runtime.create(bundle, name, '--console-socket', console.path), 'create')
        screen = console.master()
        screen.resize(44, 88)
        t.succeeded(t.runtime.call('start', name), 'start')
        t.true(screen.wait(re.escape(PROMPT)) is not None, 'no prompt')
        screen.type('stty size\r')
        t.true(screen.wait(rb'\n44 88\r\n') is not None, f'the size: {screen.shown!r}')
        screen.resize(45, 89)
        time.sleep(0.3)
        screen.type('stty size\r')
        t.true(screen.wait(rb'45 89\r\n') is not None, f'the new size: {screen.shown!r}')
        screen.type('exit 6\r')
        t.true(screen.end() is not None, 'the master never saw the end')
        t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state')
        screen.close()
        t.succeeded(t.runtime.call('delete', name), 'delete')


def looping(t):
    bundle, name = t.bundle(['/bin/sh', '-c', 'while :; do sleep 0.05; done']), t.name()
    bundle.config['process']['env'] = ENV
    bundle.write()
    t.succeeded(t.runtime.create(bundle, name), 'create')
    t.succeeded(t.runtime.call('start', name), 'start')
    return name


def remove(t, name):
    t.succeeded(t.runtime.call('delete', '--force', name), 'delete --force')


def exec_terminal(t):
    """exec --tty: a terminal of its own, job control, sizes, status"""
    name = looping(t)
    job = Job(t, t.runtime.command('exec', '--tty', name, '/bin/sh', '-i'), rows=20, columns=60)
    job.see(re.escape(PROMPT), 'the first prompt')
    job.command('tty', rb'/dev/pts/0\r\n')
    job.command('stty size', rb'\n20 60\r\n')
    job.screen.type('sleep 1000\r')
    job.see(b'sleep 1000\r\n', 'the command')
    time.sleep(0.3)
    job.key('\x1a', rb'Stopped.*' + re.escape(PROMPT), 'that it stopped')
    job.command('kill -9 %1; echo ok', rb'ok\r\n')
    job.screen.resize(21, 61)
    time.sleep(0.3)
    job.screen.type('stty size\r')
    job.see(rb'21 61\r\n.*' + re.escape(PROMPT), 'the new size')
    job.screen.type('exit 8\r')
    job.finish(8)
    remove(t, name)


def exec_two(t):
    """two exec with terminals at once are apart"""
    name = looping(t)
    jobs = [Job(t, t.runtime.command('exec', '--tty', name, '/bin/sh', '-i')) for _ in range(2)]
    names = set()
    for job in jobs:
        job.see(re.escape(PROMPT), 'the first prompt')
        names.add(re.search(rb'/dev/pts/\d', job.command('tty')).group(0))
    t.equal(names, {b'/dev/pts/0', b'/dev/pts/1'}, 'their names')
    jobs[0].screen.type('exit\r')
    jobs[0].finish(0)
    jobs[1].command('ls /dev/pts', rb'ptmx')
    jobs[1].screen.type('exit\r')
    jobs[1].finish(0)
    remove(t, name)


def exec_socket(t):
    """exec --detach --console-socket, as a shim does it: sizes by the waiter, the end of the master"""
    name = looping(t)
    pid_file = t.path(name + '.pid')
    process = t.path(name + '.json')
    with open(process, 'w', encoding='utf-8') as file:
        file.write('{"terminal":true,"user":{"uid":0,"gid":0},"cwd":"/","args":["/bin/sh","-i"],"env":%s}'
                   % str(ENV).replace("'", '"'))
    with ConsoleSocket(t) as console:
        t.succeeded(t.runtime.call('exec', '--process', process, '--detach', '--pid-file', pid_file, '--console-socket',
                                   console.path, name), 'exec')
        screen = console.master()
        t.true(screen.wait(re.escape(PROMPT)) is not None, 'no prompt')
        screen.resize(31, 62)
        time.sleep(0.3)
        screen.type('stty size\r')
        t.true(screen.wait(rb'\n31 62\r\n') is not None, f'the size: {screen.shown!r}')
        screen.type('exit 2\r')
        t.true(screen.end() is not None, 'the master never saw the end')
        screen.close()
    waiter = int(harness.read_text(pid_file))
    t.true(harness.wait_until(lambda: os.waitpid(waiter, os.WNOHANG)[0] == waiter, 10), 'the waiter did not end')
    remove(t, name)


def refusals(t):
    """combinations that can't be are refused"""
    bundle = terminal_bundle(t, ['/bin/true'])
    t.refused(t.runtime.create(bundle, t.name(), stderr=subprocess.PIPE), 'console-socket')
    plain = t.bundle(['/bin/true'])
    t.refused(t.runtime.create(plain, t.name(), '--console-socket', '/nowhere', stderr=subprocess.PIPE), 'terminal')
    t.refused(t.runtime.create(bundle, t.name(), '--console-socket', '/nowhere/sock', stderr=subprocess.PIPE), '/nowhere/sock')
    t.refused(t.runtime.run(bundle, t.name(), preexec_fn=os.setsid), 'terminal')


def less(t):
    """less: pages, searches, quits"""
    job = bash_job(t, 'less')
    job.command('seq 1 500 >/tmp/n')
    job.screen.type('/usr/bin/less /tmp/n\r') # busybox has one too
    job.see(rb'\n23\r\n[^\n]*m/tmp/n', 'the first page')
    job.screen.type('/^400$\r')
    job.see(rb'\n422\r\n', 'what was searched')
    job.screen.type('G')
    job.see(rb'\n500\r\n', 'the last line')
    job.screen.type('q')
    job.see(re.escape(PROMPT), 'the prompt')
    job.screen.type('exit\r')
    job.finish(0)


def vim(t):
    """vim: text is typed and saved"""
    job = bash_job(t, 'vim')
    job.screen.type('vim -u NONE -i NONE /tmp/text\r')
    job.see(rb'~', 'the empty page')
    job.screen.type('ihello from vim\x1b')
    job.see(rb'hello from vim', 'the text')
    job.screen.resize(40, 100)
    time.sleep(0.3)
    job.screen.type(':wq\r')
    job.see(re.escape(PROMPT), 'the prompt')
    job.command('cat /tmp/text', rb'hello from vim\r\n')
    job.screen.type('exit\r')
    job.finish(0)


def harness_tests():
    return [what_it_is, own_user, console_size, jobs_in_ash, jobs_in_bash, quit_key, resize, much_output, much_input, hangup,
            console_socket, exec_terminal, exec_two, exec_socket, refusals, less, vim]


# --- through Docker ---

def docker_env(t):
    return {'PATH': os.environ['PATH'], 'HOME': t.folder, 'DOCKER_HOST': 'unix://' + docker.daemons.socket, 'TERM': 'xterm'}


def with_docker(function):
    """The test, once dockerd runs; skipped where it can't."""
    def test(t):
        if not docker.daemons:
            docker.prepare(t)
        function(t)
    test.__doc__ = function.__doc__
    test.__name__ = function.__name__
    return test


@with_docker
def docker_run(t):
    """docker run -ti: prompt, ^C, size, new size, status"""
    job = Job(t, [docker.daemons.client, 'run', '--rm', '-ti', '--runtime=runsc', '--network', 'none', '-e', 'PS1=' + PROMPT.decode(),
                  docker.IMAGE, '/bin/sh'], rows=35, columns=90, env=docker_env(t))
    job.see(re.escape(PROMPT), 'the first prompt')
    # Docker tells the size when the shell is there already, which then shows its prompt once more.
    t.true(harness.wait_until(lambda: b'35 90' in job.command('stty size'), 5), 'the size')
    t.true(harness.wait_until(lambda: b'/dev/pts/0\r\n' in job.command('tty'), 5), 'the name')
    job.screen.type('sleep 1000\r')
    job.see(b'sleep 1000\r\n', 'the command')
    time.sleep(0.3)
    job.key('\x03', re.escape(PROMPT), 'the prompt after ^C')
    job.screen.resize(36, 91)
    os.kill(job.process.pid, signal.SIGWINCH)
    t.true(harness.wait_until(lambda: b'36 91' in job.command('stty size'), 5), 'the new size')
    job.screen.type('exit 4\r')
    job.finish(4)


@with_docker
def docker_exec(t):
    """docker exec -ti: prompt, job control, size, new size, status"""
    name = docker.daemons.looping()
    job = Job(t, [docker.daemons.client, 'exec', '-ti', '-e', 'PS1=' + PROMPT.decode(), name, '/bin/sh'], rows=35, columns=90,
              env=docker_env(t))
    job.see(re.escape(PROMPT), 'the first prompt')
    t.true(harness.wait_until(lambda: b'35 90' in job.command('stty size'), 5), 'the size')
    job.screen.type('cat\r')
    job.see(b'cat\r\n', 'the command')
    time.sleep(0.3)
    job.key('\x1a', rb'Stopped.*' + re.escape(PROMPT), 'that it stopped')
    job.command('kill -9 %1; echo ok', rb'ok\r\n')
    job.screen.resize(36, 91)
    os.kill(job.process.pid, signal.SIGWINCH)
    t.true(harness.wait_until(lambda: b'36 91' in job.command('stty size'), 5), 'the new size')
    job.screen.type('exit 4\r')
    job.finish(4)
    docker.daemons.remove(name)


@with_docker
def docker_plain(t):
    """docker run -t without a terminal of the client's: lines end as a terminal's do"""
    done = docker.daemons.run('/bin/echo', 'hello', flags=['-t'])
    t.equal((done.stdout, done.returncode), ('hello\n', 0) if done.stdout == 'hello\n' else ('hello\r\n', 0),
            f'output, status ({done.stderr.strip()})')


if __name__ == '__main__':
    harness.main(__doc__, harness_tests() + [docker_run, docker_exec, docker_plain], finish=docker.finish)
