#!/usr/bin/env python3
"""The verbs of the command line, as callers use them: states, statuses, texts, pid files."""
import json
import os
import signal
import subprocess
import time

import harness

SLEEP = ['/bin/sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done']


def started(t, args=tuple(SLEEP), *flags):
    """A running container that has said 'up'. Return: its id and the file of its stdout."""
    bundle, name = t.bundle(args), t.name()
    out = open(t.path(f'{name}.out'), 'w+', encoding='utf-8')
    t.succeeded(t.runtime.create(bundle, name, *flags, stdout=out), 'create')
    t.succeeded(t.runtime.call('start', name), 'start')
    t.true(harness.wait_until(lambda: 'up' in harness.read_text(out.name)), 'the container never said that it is up')
    return name, out


def finish(t, name):
    t.runtime.call('kill', name, 'KILL')
    t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state after SIGKILL')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def version(t):
    """--version has two lines"""
    done = t.runtime.call('--version')
    t.equal(done.returncode, 0, 'status')
    t.only_ours('the text')
    lines = done.stdout.splitlines()
    t.equal(len(lines), 2, 'lines')
    t.true(lines[0].startswith('runsc version release-') and lines[1] == 'spec: 1.1.0', f'text: {lines}')


def run_echo(t):
    """run prints what the program prints, status 0"""
    done = t.runtime.run(t.bundle(['/bin/echo', 'hello']), t.name())
    t.equal((done.returncode, done.stdout), (0, 'hello\n'), f'status and output ({done.stderr.strip()})')


def run_version(t):
    """the program really runs in the sandbox"""
    t.only_ours('the kernel that the program sees')
    done = t.runtime.run(t.bundle(['/bin/cat', '/proc/version']), t.name())
    t.equal(done.stdout, harness.VERSION_TEXT + '\n', '/proc/version')
    done = t.runtime.run(t.bundle(['/bin/uname', '-r']), t.name())
    t.equal(done.stdout, '4.4.0\n', 'uname -r')


def run_dmesg(t):
    """dmesg has the sandbox's own lines"""
    t.only_ours('the kernel log')
    done = t.runtime.run(t.bundle(['/bin/dmesg']), t.name())
    t.succeeded(done, 'dmesg')
    lines = done.stdout.splitlines()
    t.equal(lines[0], '[    0.000000] Starting gVisor...', 'first line')
    t.true(lines[-1].endswith('Ready!'), f'last line: {lines[-1]}')
    times = [float(line[1:line.index(']')]) for line in lines]
    t.equal(times, sorted(times), 'times')


def run_file_size_limit(t):
    """RLIMIT_FSIZE holds for output that is a file: it is cut there, then SIGXFSZ"""
    for mode in ('wb', 'ab'):
        bundle = t.bundle(['/bin/sh', '-c', 'dd if=/dev/zero bs=3000 count=1; dd if=/dev/zero bs=1 count=1; exit $?'])
        bundle.config['process']['rlimits'] = [{'type': 'RLIMIT_FSIZE', 'soft': 1024, 'hard': 4096}]
        bundle.write()
        path = t.path('limited')
        with open(path, 'wb') as file:
            file.write(b'x' * 100)
        with open(path, mode) as out:
            words = t.runtime.command('run', '--bundle', bundle.path, t.name())
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, timeout=60, check=False)
        t.equal((done.returncode, os.path.getsize(path)), (128 + signal.SIGXFSZ, 1024), f'status, size of the file ({mode})')


def run_statuses(t):
    """run ends with the program's status, 128 + n for a signal"""
    for script, status in (('exit 0', 0), ('exit 3', 3), ('exit 255', 255), ('sh -c "kill -9 \\$\\$"; exit $?', 137)):
        done = t.runtime.run(t.bundle(['/bin/sh', '-c', script]), t.name())
        t.equal(done.returncode, status, f'status of {script!r} ({done.stderr.strip()})')


def run_stdio(t):
    """stdin, stdout and stderr are the caller's, each its own"""
    done = t.runtime.run(t.bundle(['/bin/sh', '-c', 'cat; echo err >&2']), t.name(), input='through\n')
    t.equal((done.stdout, done.stderr), ('through\n', 'err\n'), 'stdout and stderr')


def run_big_output(t):
    """a megabyte through a pipe arrives whole"""
    done = t.runtime.run(t.bundle(['/bin/dd', 'if=/dev/zero', 'bs=4096', 'count=256']), t.name(), text=False)
    t.equal(len(done.stdout), 1 << 20, f'bytes ({done.stderr!r})')


def run_environment(t):
    """cwd, env, hostname and user are the config's"""
    bundle = t.bundle(['/bin/sh', '-c', 'pwd; echo $WORD; hostname; id -u; id -g'])
    bundle.config['process'].update(cwd='/tmp', user={'uid': 1000, 'gid': 1001}, env=['PATH=/bin', 'WORD=abc def'])
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.equal(done.stdout.split('\n'), ['/tmp', 'abc def', 'guest', '1000', '1001', ''], f'output ({done.stderr.strip()})')


def run_stdio_of_user(t):
    """a process that is not root can open /dev/stdout and /dev/stderr, of run and of exec"""
    script = 'echo out > /dev/stdout; echo err > /dev/stderr'
    bundle = t.bundle(['/bin/sh', '-c', script])
    bundle.config['process']['user'] = {'uid': 1000, 'gid': 1001}
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.equal((done.stdout, done.stderr), ('out\n', 'err\n'), 'stdout and stderr of run')
    name, _ = started(t)
    done = t.runtime.call('exec', '--user', '1000:1001', name, '/bin/sh', '-c', script)
    t.equal((done.stdout, done.stderr), ('out\n', 'err\n'), 'stdout and stderr of exec')
    finish(t, name)


def run_writes_stay(t):
    """what a container writes to its root is there after it, and for the next one"""
    bundle = t.bundle(['/bin/sh', '-c', 'echo kept > /root/file; ls /root'])
    done = t.runtime.run(bundle, t.name())
    t.equal(done.stdout, 'file\n', f'output ({done.stderr.strip()})')
    t.equal(harness.read_text(os.path.join(bundle.rootfs, 'root/file')), 'kept\n', 'the file on the host')


def run_readonly(t):
    """a read-only root cannot be written"""
    bundle = t.bundle(['/bin/sh', '-c', 'echo x > /root/file || echo refused'])
    bundle.config['root']['readonly'] = True
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.equal(done.stdout, 'refused\n', 'output')
    t.true(not os.path.exists(os.path.join(bundle.rootfs, 'root/file')), 'the file was made all the same')


def run_propagation(t):
    """mounts are private, or what rootfsPropagation and a mount's options say"""
    bundle = t.bundle(['/bin/cat', '/proc/self/mountinfo'])
    bundle.config['mounts'].append({'destination': '/mnt', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['runbindable']})

    def fields(propagation):
        bundle.config['linux']['rootfsPropagation'] = propagation
        bundle.write()
        done = t.runtime.run(bundle, t.name())
        t.succeeded(done, 'run')
        rows = [line.split() for line in done.stdout.splitlines()]
        return {row[4]: ''.join(row[6:row.index('-')]).split(':')[0] for row in rows}

    private = fields('rprivate')
    t.equal((private['/'], private['/proc'], private['/mnt']), ('', '', 'unbindable'), 'private')
    t.equal(fields('unbindable')['/'], 'unbindable', 'unbindable')
    t.only_ours('a shared root, which runc lets through to the host')
    shared = fields('shared')
    t.equal((shared['/'], shared['/proc']), ('shared', ''), 'shared')
    t.equal(fields('rshared')['/proc'], 'shared', 'shared with all below')


def run_mqueue(t):
    """a mount of type mqueue shows the container's message queues"""
    bundle = t.bundle(['/bin/sh', '-c', 'grep mqueue /proc/mounts | cut -d" " -f1-3; : > /dev/mqueue/made; cat /dev/mqueue/made'])
    bundle.config['mounts'].append({'destination': '/dev/mqueue', 'type': 'mqueue', 'source': 'mqueue',
                                    'options': ['nosuid', 'noexec', 'nodev']})
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.succeeded(done, 'run')
    lines = done.stdout.splitlines()
    t.equal(lines[0], 'mqueue /dev/mqueue mqueue', 'the mount')
    t.equal(lines[1].split(), ['QSIZE:0', 'NOTIFY:0', 'SIGNO:0', 'NOTIFY_PID:0'], 'an empty queue')


def run_cgroup(t):
    """a container reads its limits in /sys/fs/cgroup"""
    t.only_ours('the version of cgroups')
    names = ['memory.max', 'memory.swap.max', 'cpu.max', 'cpu.weight', 'pids.max', 'cgroup.procs', 'cgroup.controllers']
    script = 'cd /sys/fs/cgroup; for f in ' + ' '.join(names) + '; do echo $f $(cat $f); done; cat /proc/self/cgroup;' \
             'grep -c "	0	" /proc/cgroups; grep " /sys/fs/cgroup " /proc/mounts | cut -d" " -f3,4; mkdir x || echo refused'
    bundle = t.bundle(['/bin/sh', '-c', script])
    bundle.config['mounts'].append({'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['ro']})
    bundle.config['mounts'].append({'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'source': 'cgroup',
                                    'options': ['nosuid', 'noexec', 'nodev', 'relatime', 'ro']})

    def lines(resources):
        bundle.config['linux']['resources'] = resources
        bundle.write()
        done = t.runtime.run(bundle, t.name())
        t.succeeded(done, 'run')
        return done.stdout.splitlines()

    rest = ['cgroup.controllers cpuset cpu memory pids', '0::/', '5', 'cgroup2 ro,nosuid,nodev,noexec,relatime', 'refused']
    found = lines({'memory': {'limit': 256 << 20, 'swap': 320 << 20}, 'cpu': {'quota': 150000, 'period': 50000, 'shares': 1024},
                   'pids': {'limit': 77}})
    t.equal(found[:5], ['memory.max 268435456', 'memory.swap.max 67108864', 'cpu.max 150000 50000', 'cpu.weight 39', 'pids.max 77'],
            'limits')
    t.true(found[5].startswith('cgroup.procs 1'), f'cgroup.procs: {found[5]}')
    t.equal(found[6:], rest, 'the rest')
    found = lines({})
    t.equal(found[:5], ['memory.max max', 'memory.swap.max max', 'cpu.max max 100000', 'cpu.weight 100', 'pids.max max'], 'no limits')


def run_kill(t):
    """a signal to run arrives in the container, and its status comes back"""
    bundle, name = t.bundle(SLEEP), t.name()
    process = subprocess.Popen(t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        t.equal(process.stdout.readline(), 'up\n', 'first line')
        process.send_signal(signal.SIGTERM)
        t.equal(process.wait(10), 7, 'status')
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kill_at_once(t):
    """a signal in the moment of the start, while state.json may still say created, is the program's, not the sandbox's"""
    for _ in range(12):
        bundle, name = t.bundle(SLEEP), t.name()
        process = subprocess.Popen(t.runtime.command('run', '--bundle', bundle.path, name), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        t.succeeded(t.runtime.call('kill', name, 'TERM'), 'kill')
        process.communicate(timeout=20)
        t.equal(process.returncode, 7, 'status')


def states(t):
    """created, running, stopped, gone: what state says of each"""
    bundle, name = t.bundle(SLEEP), t.name()
    t.succeeded(t.runtime.create(bundle, name), 'create')
    state = t.runtime.state_of(name)
    t.equal((state['id'], state['status'], os.path.realpath(state['bundle'])),
            (name, 'created', os.path.realpath(bundle.path)), 'state')
    t.true(harness.stat_fields(state['pid']), f"pid {state['pid']} does not live")
    t.contains(state, 'ociVersion', 'state')
    t.succeeded(t.runtime.call('start', name), 'start')
    t.equal(t.runtime.status(name), 'running', 'state after start')
    t.succeeded(t.runtime.call('kill', name, 'KILL'), 'kill')
    t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state after kill')
    t.succeeded(t.runtime.call('delete', name), 'delete')
    t.refused(t.runtime.call('state', name), 'does not exist')


def state_json(t):
    """state prints JSON with an indent of two"""
    name, _ = started(t)
    text = t.runtime.call('state', name).stdout
    t.equal(json.dumps(json.loads(text), indent=2).splitlines()[1][:3], text.splitlines()[1][:3], 'second line')
    finish(t, name)


def pid_file(t):
    """the pid in the pid file is the caller's sub-reaper's, and ends with init's status"""
    bundle, name, path = t.bundle(SLEEP), t.name(), t.path('pidfile')
    t.succeeded(t.runtime.create(bundle, name, '--pid-file', path), 'create')
    pid = int(harness.read_text(path))
    t.equal(t.runtime.state_of(name)['pid'], pid, 'pid of state')
    t.equal(int(harness.stat_fields(pid)[1]), os.getpid(), 'parent of the pid')
    t.succeeded(t.runtime.call('start', name), 'start')
    time.sleep(0.3)
    t.true(harness.stat_fields(pid)[0] not in 'ZX', 'it ended before the container')
    t.succeeded(t.runtime.call('kill', name, 'TERM'), 'kill')
    done = harness.wait_until(lambda: [status for reaped, status in [os.waitpid(pid, os.WNOHANG)] if reaped])
    t.equal(os.waitstatus_to_exitcode(done[0]) if done else None, 7, 'its status')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def pid_file_signal(t):
    """… with 128 + n when init dies of a signal"""
    bundle, name, path = t.bundle(SLEEP), t.name(), t.path('pidfile2')
    t.succeeded(t.runtime.create(bundle, name, '--pid-file', path), 'create')
    pid = int(harness.read_text(path))
    t.succeeded(t.runtime.call('start', name), 'start')
    t.succeeded(t.runtime.call('kill', name, 'KILL'), 'kill')
    t.true(harness.wait_until(lambda: harness.stat_fields(pid)[0] in 'ZX'), 'it lives on')
    status = os.waitpid(pid, 0)[1]
    wanted = (137,) if t.runtime.ours else (137, -9)
    t.true(os.waitstatus_to_exitcode(status) in wanted, f'status {status:#x}')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def illegal_transitions(t):
    """start twice, delete while running, kill after the end: refused, with both states named"""
    name, _ = started(t)
    t.refused(t.runtime.call('start', name), 'running')
    t.refused(t.runtime.call('delete', name), 'running' if t.runtime.ours else '')
    t.runtime.call('kill', name, 'KILL')
    t.runtime.wait_status(name, 'stopped')
    t.refused(t.runtime.call('kill', name, 'TERM'), 'not running')
    t.refused(t.runtime.call('start', name), 'stopped')
    t.refused(t.runtime.call('exec', name, '/bin/true'), 'not running' if t.runtime.ours else '')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def same_id_twice(t):
    """a second container of the same id is refused, the first lives on"""
    name, _ = started(t)
    t.refused(t.runtime.call('create', '--bundle', t.bundle().path, name), 'exist')
    t.equal(t.runtime.status(name), 'running', 'state of the first')
    finish(t, name)


def missing_container(t):
    """every verb says of a container that is not there that it does not exist"""
    for verb in ('start', 'state', 'kill', 'delete', 'ps', 'wait', 'exec', 'pause', 'resume'):
        if not t.runtime.ours and verb == 'wait':
            continue
        words = [verb, 'no-such-container'] + (['/bin/true'] if verb == 'exec' else [])
        t.refused_and_logged(*words, parts=['does not exist'])


def delete_force(t):
    """delete --force ends a running one, and a missing one is no error"""
    name, _ = started(t)
    t.succeeded(t.runtime.call('delete', '--force', name), 'delete --force')
    t.refused(t.runtime.call('state', name), 'does not exist')
    t.succeeded(t.runtime.call('delete', '--force', name), 'delete --force of a missing one')
    t.only_ours('delete of several')
    one, two = started(t)[0], started(t)[0]
    t.succeeded(t.runtime.call('delete', '--force', one, 'missing', two), 'delete --force of several')
    t.equal(t.runtime.call('list', '--quiet').stdout, '', 'list')


def kill_signals(t):
    """kill takes names with and without SIG, numbers, and defaults to TERM"""
    script = 'for s in HUP INT USR1 USR2 TERM; do trap "echo $s" $s; done; echo up; while :; do sleep 0.05; done'
    name, out = started(t, ['/bin/sh', '-c', script])
    for words, answer in ((['HUP'], 'HUP'), (['SIGINT'], 'INT'), (['10'], 'USR1'), ([], 'TERM'), (['sigusr2'], 'USR2')):
        if not t.runtime.ours and words == ['sigusr2']:
            continue
        t.succeeded(t.runtime.call('kill', name, *words), f'kill {words}')
        t.true(harness.wait_until(lambda: answer in harness.read_text(out.name).split()), f'no {answer} arrived')
    t.refused(t.runtime.call('kill', name, 'NOSUCH'), 'nosuch')
    finish(t, name)


def kill_all(t):
    """kill --all reaches every process of the container"""
    name, _ = started(t, ['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & echo up; wait; wait'])
    t.succeeded(t.runtime.call('kill', '--all', name, 'KILL'), 'kill --all')
    t.equal(t.runtime.wait_status(name, 'stopped'), 'stopped', 'state')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def exec_simple(t):
    """exec runs a further process with its own output and status"""
    name, _ = started(t)
    done = t.runtime.call('exec', name, '/bin/sh', '-c', 'cat; echo err >&2; exit 5', input='in\n')
    t.equal((done.stdout, done.stderr, done.returncode), ('in\n', 'err\n', 5), 'stdout, stderr, status')
    done = t.runtime.call('exec', '--cwd', '/tmp', '--env', 'WORD=x', '--user', '1:2', name, '/bin/sh', '-c',
                          'pwd; echo $WORD; id -u; id -g')
    t.equal(done.stdout.split(), ['/tmp', 'x', '1', '2'], f'cwd, env, user ({done.stderr})')
    t.refused(t.runtime.call('exec', name, '/bin/no-such-program'), 'no-such-program')
    t.equal(t.runtime.status(name), 'running', 'state afterwards')
    finish(t, name)


def exec_of_short_programs(t):
    """exec of programs that end at once: each status arrives, in the foreground and detached"""
    name, _ = started(t)
    for number in range(40):
        done = t.runtime.call('exec', name, '/bin/sh', '-c', f'exit {number}')
        t.equal((done.returncode, done.stderr), (number, ''), f'status, stderr of exec {number}')
        done = t.runtime.call('exec', '--detach', name, '/bin/true', stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        t.succeeded(done, f'exec --detach {number}')
    finish(t, name)


def exec_sees_the_container(t):
    """exec's process is in the container's process tree and file system"""
    name, _ = started(t)
    done = t.runtime.call('exec', name, '/bin/sh', '-c', 'ps -o pid,comm; echo x > /tmp/made')
    t.contains(done.stdout, '1 sh', 'ps inside')
    done = t.runtime.call('exec', name, '/bin/cat', '/tmp/made')
    t.equal(done.stdout, 'x\n', 'a file of an earlier exec')
    finish(t, name)


def exec_process_file(t):
    """exec --process FILE --detach --pid-file: a pid that ends with that process's status"""
    name, _ = started(t)
    spec, path = t.path('process.json'), t.path('execpid')
    with open(spec, 'w', encoding='utf-8') as file:
        json.dump({'args': ['/bin/sh', '-c', 'sleep 0.3; exit 9'], 'cwd': '/', 'env': ['PATH=/bin'],
                   'user': {'uid': 0, 'gid': 0}}, file)
    done = t.runtime.call('exec', '--process', spec, '--detach', '--pid-file', path, name, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    t.equal(done.returncode, 0, 'status of exec')
    pid = int(harness.read_text(path))
    t.equal(int(harness.stat_fields(pid)[1]), os.getpid(), 'parent of the pid')
    t.equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 9, 'its status')
    t.equal(t.runtime.status(name), 'running', 'state of the container')
    finish(t, name)


def listing(t):
    """list: a table with its columns, ids alone, JSON"""
    name, _ = started(t)
    lines = t.runtime.call('list').stdout.splitlines()
    t.equal(lines[0].split(), ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], 'columns')
    t.true(any(line.split()[0] == name and 'running' in line for line in lines[1:]), f'no line of it: {lines}')
    t.equal(t.runtime.call('list', '--quiet').stdout.split(), [name], 'ids')
    rows = json.loads(t.runtime.call('list', '--format', 'json').stdout)
    t.equal([(row['id'], row['status']) for row in rows], [(name, 'running')], 'json')
    t.refused(t.runtime.call('list', '--format', 'nonsense'), 'nonsense' if t.runtime.ours else 'format')
    finish(t, name)


def list_empty(t):
    """list of nothing is the head alone; JSON of nothing is a list or null"""
    t.equal(len(t.runtime.call('list').stdout.splitlines()), 1, 'lines')
    t.true(json.loads(t.runtime.call('list', '--format', 'json').stdout) in (None, []), 'json')


def ps(t):
    """ps: a table, and a bare array of host pids that live"""
    name, _ = started(t, ['/bin/sh', '-c', 'sleep 1000 & echo up; wait'])
    # The shell says that it is up while its child is still on the way to being sleep.
    harness.wait_until(lambda: 'sleep' in t.runtime.call('ps', name).stdout)
    table = t.runtime.call('ps', name).stdout
    t.contains(table, 'CMD', 'head')
    t.contains(table, 'sleep', 'rows')
    pids = json.loads(t.runtime.call('ps', '--format', 'json', name).stdout)
    t.true(len(pids) >= 2 and all(isinstance(pid, int) and harness.stat_fields(pid) for pid in pids), f'pids: {pids}')
    t.only_ours('the columns')
    t.equal(table.splitlines()[0].split(), ['UID', 'PID', 'PPID', 'PGID', 'C', 'TTY', 'STIME', 'TIME', 'CMD'], 'columns')
    finish(t, name)


def wait(t):
    """wait prints the status as JSON when the container ends"""
    t.only_ours('wait')
    name, _ = started(t)
    waiter = subprocess.Popen(t.runtime.command('wait', name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    time.sleep(0.2)
    t.true(waiter.poll() is None, 'it ended before the container')
    t.succeeded(t.runtime.call('kill', name, 'TERM'), 'kill')
    t.equal(json.loads(waiter.communicate(timeout=10)[0]), {'id': name, 'exitStatus': 7}, 'output')
    t.equal(waiter.returncode, 0, 'status of wait')
    t.equal(json.loads(t.runtime.call('wait', name).stdout)['exitStatus'], 7, 'a second wait')
    t.succeeded(t.runtime.call('delete', name), 'delete')


def spec(t):
    """spec writes a config.json that runs, and does not overwrite one"""
    folder = t.path('spec')
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    harness.make_rootfs(os.path.join(folder, 'rootfs'))
    words = ['--', '/bin/echo', 'from spec'] if t.runtime.ours else []
    t.succeeded(t.runtime.call('spec', '--bundle', folder, *words), 'spec')
    with open(os.path.join(folder, 'config.json'), encoding='utf-8') as file:
        config = json.load(file)
    t.true(all(key in config for key in ('ociVersion', 'process', 'root')), f'keys: {list(config)}')
    t.true(t.runtime.call('spec', '--bundle', folder).returncode != 0, 'it overwrote the file')
    t.only_ours('arguments of spec')
    t.equal(config['process']['args'], ['/bin/echo', 'from spec'], 'args')
    config['process']['terminal'] = False
    with open(os.path.join(folder, 'config.json'), 'w', encoding='utf-8') as file:
        json.dump(config, file)
    done = t.runtime.call('run', '--bundle', folder, t.name())
    t.equal((done.stdout, done.returncode), ('from spec\n', 0), f'output, status ({done.stderr.strip()})')


def usage(t):
    """an unknown verb or flag: usage, status 128"""
    t.only_ours('the usage text')
    for words in (['no-such-verb'], ['--no-such-flag', 'list'], ['list', '--no-such-flag'], []):
        done = t.runtime.call(*words)
        t.equal(done.returncode, 128, f'status of {words}')
        t.contains(done.stderr.lower(), 'usage', f'text of {words}')
    t.equal(t.runtime.call('help').returncode, 0, 'status of help')
    t.contains(t.runtime.call('help').stdout, 'create', 'help')
    t.contains(t.runtime.call('flags').stdout, 'platform', 'flags')


def flag_forms(t):
    """-x, --x, =value, next argument and -x=false are all understood"""
    t.only_ours('the forms of flags')
    state = t.runtime.state
    for words in (['-root', state], [f'-root={state}'], ['--root', state, '--debug=false'], ['--root', state, '-strace=false']):
        done = subprocess.run([t.runtime.binary, *words, 'list', '-quiet'], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        t.equal(done.returncode, 0, f'status of {words} ({done.stderr.strip()})')


def not_built_yet(t):
    """what is not built says so, status 128"""
    t.only_ours('the text')
    name, _ = started(t)
    t.refused(t.runtime.call('checkpoint', '--image-path', t.path('image'), name), 'not built yet')
    finish(t, name)


def sysctls(t):
    """linux.sysctl: settings that the container's namespaces begin with; a bad value is refused"""
    bundle = t.bundle(['/bin/sh', '-c', 'cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range '
                       'net/ipv4/ip_local_port_range net/core/somaxconn kernel/shmmni'])
    bundle.config['linux']['sysctl'] = {
        'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647',
        'net.ipv4.ip_local_port_range': '50000 50100', 'net/core/somaxconn': '100', 'kernel.shmmni': '77'}
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.equal(done.stdout, '0\n0\t2147483647\n50000\t50100\n100\n77\n', f'settings ({done.stderr.strip()})')
    bundle.config['linux']['sysctl'] = {'net.ipv4.ip_local_port_range': '1 x'}
    bundle.write()
    done = t.runtime.run(bundle, t.name())
    t.true(done.returncode != 0, 'a bad value was taken')
    if t.runtime.ours:
        t.contains(done.stderr, 'net.ipv4.ip_local_port_range', 'the message')
        bundle.config['linux']['sysctl'] = {'net.ipv4.no_such_thing': '1'}
        bundle.write()
        t.refused(t.runtime.run(bundle, t.name()), 'linux.sysctl', 'net.ipv4.no_such_thing')


def bad_ids(t):
    """an id that is no id is refused"""
    for name in ('a/b', '../a', '', 'a b', 'a\nb'):
        done = t.runtime.call('create', '--bundle', t.bundle().path, name)
        t.true(done.returncode != 0, f'{name!r} was taken')
        if t.runtime.ours:
            t.equal(done.returncode, 128, f'status for {name!r}')


def detached_run(t):
    """run --detach returns at once and the container lives on"""
    bundle, name = t.bundle(SLEEP), t.name()
    done = t.runtime.call('run', '--detach', '--bundle', bundle.path, name, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=20)
    t.equal(done.returncode, 0, 'status')
    t.equal(t.runtime.status(name), 'running', 'state')
    finish(t, name)


def debug_and_strace(t):
    """--strace into --debug-log shows the program's calls"""
    t.only_ours('--strace')
    bundle, log = t.bundle(['/bin/sh', '-c', '/bin/echo traced; exit 0']), t.path('strace.log')
    words = [t.runtime.binary, *t.runtime.flags(), '--debug', '--strace', f'--debug-log={log}', 'run', '--bundle', bundle.path,
             t.name()]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    t.equal(done.stdout, 'traced\n', f'output ({done.stderr.strip()})')
    text = harness.read_text(log)
    for call in ('execve', 'write', 'exit_group'):
        t.contains(text, call, 'the log')


harness.main(__doc__, [
    version, run_echo, run_version, run_dmesg, run_statuses, run_file_size_limit, run_stdio, run_big_output, run_environment, run_stdio_of_user,
    run_writes_stay, run_readonly, run_propagation, run_mqueue, run_cgroup, run_kill, kill_at_once, states, state_json, pid_file, pid_file_signal,
    illegal_transitions, same_id_twice,
    missing_container, delete_force, kill_signals, kill_all, exec_simple, exec_of_short_programs, exec_sees_the_container,
    exec_process_file, listing, list_empty, ps, wait, spec, usage, flag_forms, not_built_yet, sysctls, bad_ids, detached_run, debug_and_strace,
])
