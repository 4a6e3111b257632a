"""What the drivers here share: TAP, bundles made of busybox, a runtime to call, and the proof that nothing is left behind.

A driver is a script with functions that are given a Suite:

    def runs(t):
        bundle = t.bundle(['/bin/echo', 'hi'])
        done = t.runtime.run(bundle)
        t.equal(done.returncode, 0, 'exit status')

    harness.main(__doc__, [runs, …])

Each function is one TAP point; what it raises, or an expectation that does not hold, makes it `not ok`. Skip(reason) skips.

RUNSC names the binary. runc or crun can stand in for it, to try a driver: what is the sandbox's own is then left out.
Every process that a driver starts is its descendant (it is a sub-reaper), so what is left over at the end is found
without looking at names, and only such processes are ever ended, by their pid.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get('RUNSC_TEST_CACHE', '/var/cache/runsc-tests')
VERSION_TEXT = 'Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016'
PR_SET_CHILD_SUBREAPER = 36


class Skip(Exception):
    """This point cannot run here; the text is the reason."""


class Failure(Exception):
    """An expectation that does not hold."""


def become_subreaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def read_text(path, default=''):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return default


def stat_fields(pid):
    """/proc/PID/stat from the state on, or None when it is gone: [0] state, [1] ppid."""
    text = read_text(f'/proc/{pid}/stat')
    return text[text.rindex(')') + 2:].split() if ')' in text else None


def processes():
    """{pid: ppid} of the whole machine, zombies left out."""
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            fields = stat_fields(name)
            if fields and fields[0] not in 'ZX':
                found[int(name)] = int(fields[1])
    return found


def descendants(pid):
    """Living descendants of pid, nearest first."""
    parents = processes()
    found, layer = [], [pid]
    while layer:
        layer = [child for child, parent in parents.items() if parent in layer]
        found += layer
    return found


def command_of(pid):
    words = read_text(f'/proc/{pid}/cmdline').split('\0')
    return ' '.join(words).strip() or read_text(f'/proc/{pid}/comm').strip()


def reap():
    """Collects what was re-parented to this driver and has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def wait_until(check, seconds=10.0, step=0.02):
    """Calls check until it is true. Return: its last value."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def symbolized(text, binary):
    """A sanitizer's report with names and lines of the binary: confined processes cannot look them up themselves."""
    name = os.path.basename(binary)
    wanted = sorted(set(re.findall(r'\(' + re.escape(name) + r'\+(0x[0-9a-f]+)', text)))
    if not wanted or not shutil.which('addr2line'):
        return text
    # A return address belongs to the call before it.
    near = [hex(int(address, 16) - 1) for address in wanted]
    done = subprocess.run(['addr2line', '-f', '-s', '-e', binary, *near], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    for address, function, place in zip(wanted, lines[::2], lines[1::2]):
        text = re.sub(r'(?:<null> <null> )?\(' + re.escape(name) + r'\+' + address + r'(?: BuildId: \w+)?\)', f'{function} {place}', text)
    return text


def busybox():
    path = shutil.which('busybox')
    if not path:
        raise Skip('no busybox (package busybox-static)')
    return path


def make_rootfs(path):
    """A root file system of busybox alone."""
    program = busybox()
    for folder in ('bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var'):
        os.makedirs(os.path.join(path, folder), exist_ok=True)
    os.chmod(os.path.join(path, 'tmp'), 0o1777)
    shutil.copy(program, os.path.join(path, 'bin/busybox'))
    applets = subprocess.run([program, '--list'], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != 'busybox':
            os.symlink('busybox', os.path.join(path, 'bin', applet))
    for name, text in (('passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
                       ('group', 'root:x:0:\nnogroup:x:65534:\n')):
        with open(os.path.join(path, 'etc', name), 'w', encoding='utf-8') as file:
            file.write(text)


def default_config(args):
    """The config.json that drivers start from; they change what they are about."""
    return {
        'ociVersion': '1.0.2',
        'process': {
            'terminal': False,
            'user': {'uid': 0, 'gid': 0},
            'cwd': '/',
            'env': ['PATH=/bin', 'HOME=/root', 'TERM=dumb'],
            'args': list(args),
            'capabilities': {kind: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_MKNOD',
                                    'CAP_SETFCAP', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SYS_CHROOT', 'CAP_SYS_PTRACE', 'CAP_SYS_ADMIN',
                                    'CAP_SYS_TTY_CONFIG']
                             for kind in ('bounding', 'effective', 'permitted')},
        },
        'root': {'path': 'rootfs', 'readonly': False},
        'hostname': 'guest',
        'mounts': [
            {'destination': '/proc', 'type': 'proc', 'source': 'proc'},
            {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755', 'size=65536k']},
            {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'nodev', 'mode=1777']},
        ],
        'linux': {'namespaces': [{'type': kind} for kind in ('pid', 'mount', 'ipc', 'uts', 'network')]},
    }


class Bundle:
    """A folder with rootfs/ and config.json; write() after changing .config."""

    def __init__(self, path, args):
        self.path = path
        self.rootfs = os.path.join(path, 'rootfs')
        os.makedirs(path)
        # The sandbox is not the host's root: it must be able to walk down to here.
        os.chmod(path, 0o755)
        make_rootfs(self.rootfs)
        self.config = default_config(args)
        self.write()

    def write(self):
        with open(os.path.join(self.path, 'config.json'), 'w', encoding='utf-8') as file:
            json.dump(self.config, file, indent=2)

    def add_file(self, source, inside, mode=0o755):
        target = os.path.join(self.rootfs, inside.lstrip('/'))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)
        os.chmod(target, mode)


class Runtime:
    """The binary, its global flags and its state folder."""

    def __init__(self, binary, state, platform, logs):
        self.binary, self.state, self.platform = binary, state, platform
        name = subprocess.run([binary, '--version'], capture_output=True, text=True, check=False).stdout
        self.ours = name.startswith('runsc')
        self.log = os.path.join(logs, 'log.json')
        self.debug_log = os.path.join(logs, 'debug.log')

    def flags(self, log=False):
        flags = ['--root', self.state]
        if self.ours:
            flags += [f'--platform={self.platform}', '--network=none']
            if os.environ.get('RUNSC_TEST_DEBUG'):
                flags += ['--debug', f'--debug-log={self.debug_log}']
        if log:
            flags += ['--log', self.log, '--log-format', 'json']
        return flags

    def command(self, *args, log=False):
        return [self.binary, *self.flags(log), *args]

    def call(self, *args, log=False, timeout=60, text=True, **more):
        """Runs one verb to its end. stdin is empty unless given. Return: CompletedProcess."""
        if 'stdin' not in more and 'input' not in more:
            more['stdin'] = subprocess.DEVNULL
        if 'stdout' not in more and 'stderr' not in more:
            more['capture_output'] = True
        return subprocess.run(self.command(*args, log=log), text=text, timeout=timeout, check=False, **more)

    def run(self, bundle, name='c', *args, **more):
        return self.call('run', '--bundle', bundle.path, *args, name, **more)

    def create(self, bundle, name, *args, stdout=None, stderr=None, **more):
        """create hands its stdio to the container: pipes would wait for the container's end, so files or nothing."""
        return self.call('create', '--bundle', bundle.path, *args, name,
                         stdout=stdout or subprocess.DEVNULL, stderr=stderr or subprocess.DEVNULL, **more)

    def state_of(self, name):
        done = self.call('state', name)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def status(self, name):
        state = self.state_of(name)
        return state and state['status']

    def wait_status(self, name, wanted, seconds=10):
        wait_until(lambda: self.status(name) == wanted, seconds)
        return self.status(name)

    def log_entries(self):
        """The --log file's JSON objects; raises if a line is not one."""
        return [json.loads(line) for line in read_text(self.log).splitlines() if line.strip()]


class Suite:
    """One driver's run: its folder, its runtime, its expectations."""

    def __init__(self, binary, platform):
        base = os.environ.get('TMPDIR', '/tmp')
        self.folder = tempfile.mkdtemp(prefix='runsc-test-', dir=base)
        os.chmod(self.folder, 0o755)
        state = os.path.join(self.folder, 'state')
        os.mkdir(state, 0o711)
        self.runtime = Runtime(binary, state, platform, self.folder)
        # Where a sanitizer build's processes write their reports.
        self.sanitizer_log = os.path.join(self.folder, 'sanitizer.log')
        os.environ['RUNSC_SANITIZER_LOG'] = self.sanitizer_log
        self.counter = 0
        # What was there before a driver's points and stays until its end: services, their mounts and sockets.
        self.services = set()
        self.baseline = set()

    def name(self, stem='t'):
        """A container id that nobody else uses."""
        self.counter += 1
        return f'{stem}-{os.getpid()}-{self.counter}'

    def bundle(self, args=('/bin/true',)):
        self.counter += 1
        return Bundle(os.path.join(self.folder, f'bundle{self.counter}'), args)

    def path(self, name):
        return os.path.join(self.folder, name)

    def only_ours(self, what):
        if not self.runtime.ours:
            raise Skip(f'{what} is runsc only')

    # expectations
    def fail(self, text):
        raise Failure(text)

    def true(self, condition, what):
        if not condition:
            raise Failure(what)

    def equal(self, value, wanted, what):
        if value != wanted:
            raise Failure(f'{what}: {value!r}, expected {wanted!r}')

    def contains(self, text, part, what):
        if part not in (text or ''):
            raise Failure(f'{what}: {part!r} is not in {text!r}')

    def succeeded(self, done, what):
        if done.returncode != 0:
            raise Failure(f'{what}: status {done.returncode}: {(done.stderr or done.stdout or "").strip()}')

    def refused(self, done, *parts):
        """A failure of the runtime itself, as callers rely on it: status 128, one clear line, which holds the parts."""
        self.true(done.returncode != 0, f'it succeeded: {done.args}')
        error = (done.stderr or '').strip()
        for part in parts:
            self.contains(error.lower(), part.lower(), 'error text')
        if self.runtime.ours:
            self.equal(done.returncode, 128, f'status ({error!r})')
            self.equal(len(error.splitlines()), 1, f'lines of error text ({error!r})')

    def refused_and_logged(self, *args, parts=(), **more):
        """refused(), and the same text is the one new JSON object of the --log file."""
        before = len(self.runtime.log_entries())
        done = self.runtime.call(*args, log=True, **more)
        self.refused(done, *parts)
        entries = self.runtime.log_entries()[before:]
        if self.runtime.ours:
            self.equal(len(entries), 1, 'entries in the log file')
            self.equal(entries[0].get('level'), 'error', 'level')
            self.contains(done.stderr, entries[0].get('msg') or 'no msg', 'the line on stderr, of the log\'s text')
            self.true('T' in entries[0].get('time', ''), 'the log entry has no RFC 3339 time')
        else:
            self.true(entries, 'no entry in the log file')
        return done

    def no_reports(self):
        """A sanitizer build has reported nothing since the last time."""
        text = read_text(self.sanitizer_log)
        self.forget_reports()
        if text:
            raise Failure('a sanitizer reports:\n' + symbolized(text[:20000], self.runtime.binary))

    def forget_reports(self):
        if os.path.exists(self.sanitizer_log):
            os.unlink(self.sanitizer_log)

    # what is left behind
    def leftovers(self):
        """Processes, mounts, cgroups and sockets that this driver's containers left. Return: lines, empty if clean."""
        reap()
        found = [f'process {pid}: {command_of(pid)}' for pid in descendants(os.getpid())
                 if pid not in self.services]
        found += [f'mount {line.split()[4]}' for line in read_text('/proc/self/mountinfo').splitlines()
                  if self.folder in line]
        found += [f'socket {line.split()[-1]}' for line in read_text('/proc/net/unix').splitlines() if self.folder in line]
        tag = f'-{os.getpid()}-'
        for top, folders, _ in os.walk('/sys/fs/cgroup'):
            found += [f'cgroup {os.path.join(top, name)}' for name in folders
                      if tag in os.path.join(top, name)]
        return [line for line in found if line not in self.baseline]

    def clean(self, seconds=10):
        """Waits until nothing is left. Return: the leftovers after that time."""
        wait_until(lambda: not self.leftovers(), seconds, 0.05)
        return self.leftovers()

    def force_end(self):
        """After a failure: deletes this driver's containers and ends its own descendants by pid."""
        for name in os.listdir(self.runtime.state) if os.path.isdir(self.runtime.state) else []:
            try:
                self.runtime.call('delete', '--force', name.removesuffix('.json'), timeout=10)
            except (subprocess.TimeoutExpired, OSError):
                pass
        for pid in set(descendants(os.getpid())) - self.services:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not set(descendants(os.getpid())) - self.services, 3)
        reap()
        for line in reversed(self.leftovers()):
            if line.startswith('cgroup '):
                try:
                    os.rmdir(line.split(' ', 1)[1])
                except OSError:
                    pass
        shutil.rmtree(self.runtime.state, ignore_errors=True)
        os.makedirs(self.runtime.state, 0o711, exist_ok=True)

    def close(self):
        if os.environ.get('RUNSC_TEST_KEEP'):
            print(f'# kept: {self.folder}')
            return
        shutil.rmtree(self.folder, ignore_errors=True)


def tap_line(text):
    return text.replace('\n', ' ').replace('#', '').strip()


def run_point(suite, number, title, function):
    """One TAP point. Return: whether it is ok."""
    try:
        function(suite)
        left = suite.clean()
        if left:
            raise Failure('left behind: ' + '; '.join(left))
        suite.no_reports()
        print(f'ok {number} - {title}', flush=True)
        return True
    except Skip as reason:
        print(f'ok {number} - {title} # SKIP {tap_line(str(reason))}', flush=True)
        suite.force_end()
        return True
    except Failure as failure:
        lines = str(failure).splitlines()
    except subprocess.TimeoutExpired as late:
        lines = [f'no end within {late.timeout} s: {" ".join(map(str, late.cmd))}']
    except Exception:  # a driver's own mistake is a failure of its point, told whole
        lines = traceback.format_exc().splitlines()
    print(f'not ok {number} - {title}', flush=True)
    lines += symbolized(read_text(suite.sanitizer_log)[:20000], suite.runtime.binary).splitlines()[:80]
    suite.forget_reports()
    for line in lines[:100]:
        print(f'# {line}', flush=True)
    if os.environ.get('RUNSC_TEST_DEBUG'):
        for line in read_text(suite.runtime.debug_log).splitlines()[-40:]:
            print(f'# log: {line}', flush=True)
    suite.force_end()
    return False


def binary_or_skip():
    """RUNSC, or the last resort of this checkout's build folder; ends the driver as skipped if there is none."""
    binary = os.environ.get('RUNSC') or os.path.join(ROOT, 'build/cmd/runsc')
    if not os.access(binary, os.X_OK):
        print(f'1..0 # SKIP no runtime at {binary}')
        sys.exit(0)
    if os.getuid() != 0:
        print('1..0 # SKIP needs root, to make namespaces')
        sys.exit(0)
    return os.path.abspath(binary)


def main(purpose, functions, prepare=None, finish=None):
    """Runs a driver's points, those named on the command line or all. Exits 1 if one failed.

    prepare(suite) starts what all points need, and may raise Skip; finish(suite) ends it, in any case.
    """
    sys.stdout.reconfigure(encoding='utf-8')
    wanted = [name for name in sys.argv[1:] if not name.startswith('-')]
    functions = [function for function in functions if not wanted or function.__name__ in wanted]
    binary = binary_or_skip()
    become_subreaper()
    suite = Suite(binary, os.environ.get('RUNSC_PLATFORM', 'ptrace'))
    good = True
    try:
        if prepare:
            prepare(suite)
        print('TAP version 13')
        print(f'1..{len(functions)}')
        print(f'# {purpose.strip().splitlines()[0]}', flush=True)
        for number, function in enumerate(functions, 1):
            title = (function.__doc__ or function.__name__).strip().splitlines()[0]
            good &= run_point(suite, number, f'{function.__name__}: {title}', function)
    except Skip as reason:
        print(f'1..0 # SKIP {tap_line(str(reason))}')
    except Failure as failure:
        print(f'Bail out! {tap_line(str(failure))}')
        good = False
    finally:
        if finish:
            finish(suite)
        suite.services, suite.baseline = set(), set()
        suite.force_end()
        suite.close()
    sys.exit(0 if good else 1)
