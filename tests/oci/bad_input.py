#!/usr/bin/env python3
"""Input that is wrong: each case ends in one clear line, status 128, one log entry, and nothing left behind."""
import json
import os
import subprocess

import harness


def write_text(bundle, text):
    with open(os.path.join(bundle.path, 'config.json'), 'wb') as file:
        file.write(text)


def refused(t, bundle, *parts, flags=()):
    """create and run both refuse the bundle, and leave no state."""
    for verb in ('create', 'run'):
        name = t.name('bad')
        t.refused_and_logged(verb, '--bundle', bundle.path, *flags, name, parts=parts, timeout=20)
        t.refused(t.runtime.call('state', name), 'does not exist')
    t.equal(os.listdir(t.runtime.state), [] if t.runtime.ours else os.listdir(t.runtime.state), 'state folder')


def change(t, edit, *parts):
    """The default config with one change is refused."""
    bundle = t.bundle()
    edit(bundle.config)
    bundle.write()
    refused(t, bundle, *parts)


def no_bundle(t):
    """a bundle folder that is not there"""
    t.refused_and_logged('run', '--bundle', t.path('nowhere'), t.name(), parts=['nowhere' if t.runtime.ours else ''])


def no_config(t):
    """a bundle without config.json"""
    bundle = t.bundle()
    os.unlink(os.path.join(bundle.path, 'config.json'))
    refused(t, bundle, 'config.json')


def truncated_config(t):
    """config.json cut off at many places"""
    bundle = t.bundle()
    whole = json.dumps(bundle.config).encode()
    for length in [0, 1, 2, 17] + list(range(50, len(whole), 150)) + [len(whole) - 1]:
        write_text(bundle, whole[:length])
        done = t.runtime.call('run', '--bundle', bundle.path, t.name(), timeout=20)
        t.refused(done, 'config.json' if t.runtime.ours else '')


def not_json(t):
    """config.json that is no JSON, or no object"""
    bundle = t.bundle()
    for text in (b'\x7fELF\x02\x01\x01', b'[]', b'"text"', b'null', b'{"process": }', b'\xff\xfe{}', b'[' * 100000, b'{"a":' * 5000):
        write_text(bundle, text)
        t.refused(t.runtime.call('run', '--bundle', bundle.path, t.name(), timeout=20))


def huge_config(t):
    """config.json of 100 MiB"""
    bundle = t.bundle()
    write_text(bundle, b'{"annotations": {"a": "' + b'x' * (100 << 20) + b'"}}')
    t.refused(t.runtime.call('run', '--bundle', bundle.path, t.name(), timeout=60))


def config_is_folder(t):
    """config.json that is a folder, or a fifo"""
    bundle = t.bundle()
    path = os.path.join(bundle.path, 'config.json')
    os.unlink(path)
    os.mkdir(path)
    refused(t, bundle)
    t.only_ours('not to hang on a fifo')
    os.rmdir(path)
    os.mkfifo(path)
    refused(t, bundle)


WRONG_TYPES = [
    ('process', []), ('process', 'text'), ('process.args', 'ls'), ('process.args', [1]), ('process.args', {}),
    ('process.cwd', 1), ('process.env', 'A=b'), ('process.env', [None, 3]), ('process.user', 'root'), ('process.user.uid', 'root'),
    ('process.user.uid', -1), ('process.user.uid', 1.5), ('process.user.uid', 1 << 40), ('process.terminal', 'yes'),
    ('process.capabilities', ['CAP_KILL']), ('process.rlimits', {}),
    ('process.rlimits', [{'type': 'RLIMIT_NOFILE', 'soft': 'many', 'hard': 2}]), ('root', 'rootfs'), ('root.path', 7),
    ('root.readonly', 'no'), ('hostname', 4), ('mounts', {}), ('mounts', ['proc']), ('mounts', [{'destination': 1}]),
    ('linux', []), ('linux.namespaces', {}), ('linux.namespaces', ['pid']), ('linux.namespaces', [{'type': 3}]),
    ('ociVersion', 1), ('annotations', []), ('annotations', {'a': 1}),
]


def wrong_types(t):
    """members of the wrong type are refused, and named"""
    for path, value in WRONG_TYPES:
        bundle = t.bundle()
        place, keys = bundle.config, path.split('.')
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        bundle.write()
        done = t.runtime.call('run', '--bundle', bundle.path, t.name(), log=True, timeout=20)
        try:
            t.refused(done, keys[-1] if t.runtime.ours else '')
        except harness.Failure as failure:
            t.fail(f'{path} = {value!r}: {failure}')


def no_args(t):
    """no program to run"""
    change(t, lambda config: config['process'].pop('args'), 'args')
    change(t, lambda config: config['process'].update(args=[]), 'args')


def no_process(t):
    """no process, no root, no version"""
    t.only_ours('to refuse these')
    change(t, lambda config: config.pop('process'), 'process')
    change(t, lambda config: config.pop('root'), 'root')
    change(t, lambda config: config.update(ociVersion='not a version'), 'ociVersion')


def no_such_program(t):
    """a program that is not in the container: named, 128, and its kin"""
    for args, part in ((['/bin/nowhere'], '/bin/nowhere'), (['nowhere'], 'nowhere'), (['/etc/passwd'], '/etc/passwd'), (['/etc'], '/etc')):
        bundle = t.bundle(args)
        done = t.runtime.call('run', '--bundle', bundle.path, t.name(), timeout=20)
        t.refused(done, part)


def broken_programs(t):
    """truncated and absurd executables, a script without its interpreter: one line, not a crash"""
    with open(harness.busybox(), 'rb') as file:
        good = file.read()
    cases = {
        'empty': b'', 'elf-magic': good[:4], 'half-header': good[:40], 'header-only': good[:64], 'cut': good[:4096],
        'other-machine': good[:18] + b'\xb7\x00' + good[20:4096], 'wrong-class': good[:4] + b'\x01' + good[5:4096],
        'phoff-beyond': good[:32] + b'\xff' * 7 + b'\x7f' + good[40:4096], 'phnum-huge': good[:56] + b'\xff\xff' + good[58:4096],
        'phentsize': good[:54] + b'\x01\x00' + good[56:4096], 'script': b'#!/no/such/interpreter\n', 'script-empty': b'#!\n',
        'script-itself': b'#!/bin/broken\n', 'garbage': bytes(range(256)) * 16,
    }
    for title, content in cases.items():
        bundle = t.bundle(['/bin/broken'])
        with open(os.path.join(bundle.rootfs, 'bin/broken'), 'wb') as file:
            file.write(content)
        os.chmod(file.name, 0o755)
        done = t.runtime.call('run', '--bundle', bundle.path, t.name(), timeout=20)
        try:
            if title == 'cut' or not t.runtime.ours:
                # Linux starts a program whose later pages are missing, and it dies of SIGBUS or SIGSEGV.
                t.true(done.returncode != 0, 'it succeeded')
            else:
                t.refused(done, 'broken')
        except harness.Failure as failure:
            t.fail(f'{title}: {failure}')


def no_rootfs(t):
    """a root folder that is missing, a file, or empty text"""
    change(t, lambda config: config['root'].update(path='missing'), 'missing')
    bundle = t.bundle()
    with open(os.path.join(bundle.path, 'plain'), 'w', encoding='utf-8'):
        pass
    bundle.config['root']['path'] = 'plain'
    bundle.write()
    refused(t, bundle, 'plain' if t.runtime.ours else '')
    t.only_ours('an empty path')
    change(t, lambda config: config['root'].update(path=''), 'path')


def relative_destination(t):
    """mount destinations that are relative or climb out"""
    t.only_ours('the refusal')
    for destination in ('etc', '', '../../etc'):
        change(t, lambda config, d=destination: config['mounts'].append({'destination': d, 'type': 'tmpfs', 'source': 'tmpfs'}),
               'destination')


def escaping_mounts(t):
    """a destination through a symlink or .. stays within the container"""
    bundle = t.bundle(['/bin/sh', '-c', 'echo in > /link/mark; echo in > /up/mark; exit 0'])
    outside = t.path('outside')
    os.makedirs(outside, exist_ok=True)
    os.symlink(outside, os.path.join(bundle.rootfs, 'link'))
    for destination in ('/link', '/../up'):
        bundle.config['mounts'].append({'destination': destination, 'type': 'tmpfs', 'source': 'tmpfs'})
    bundle.write()
    t.runtime.run(bundle, t.name(), timeout=20)
    t.equal(os.listdir(outside), [], 'the folder outside')
    t.true(not os.path.exists(os.path.join(bundle.path, 'up')), 'a folder was made outside of the root')


def bind_missing(t):
    """a bind mount whose source is missing is refused, and named"""
    change(t, lambda config: config['mounts'].append({'destination': '/mnt', 'type': 'bind', 'source': '/no/such/source',
                                                      'options': ['rbind']}), '/no/such/source')


def unknown_namespace(t):
    """a namespace type that does not exist"""
    change(t, lambda config: config['linux']['namespaces'].append({'type': 'imaginary'}), 'imaginary' if t.runtime.ours else '')
    t.only_ours('the same type twice')
    change(t, lambda config: config['linux']['namespaces'].append({'type': 'pid'}), 'namespaces')


def unknown_values(t):
    """capabilities, rlimits and file systems that do not exist are refused by name"""
    change(t, lambda config: config['process'].update(rlimits=[{'type': 'RLIMIT_IMAGINARY', 'soft': 1, 'hard': 1}]), 'rlimit')
    t.only_ours('refusal by name')
    change(t, lambda config: config['process'].update(rlimits=[{'type': 'RLIMIT_NOFILE', 'soft': 2, 'hard': 1}]), 'rlimits')
    change(t, lambda config: config['mounts'].append({'destination': '/x', 'type': 'imaginary', 'source': 'x'}), 'mounts')


def sysctls(t):
    """settings that are no namespace's of the container, and values that can't be, are refused by name"""
    def with_sysctl(name, value):
        return lambda config: config['linux'].update(sysctl={name: value})
    t.only_ours('the text')
    for name in ('kernel.pid_max', 'kernel.ostype', 'vm.swappiness', 'net.ipv4.imaginary', 'kernel.shmmaxx', 'kernel', ''):
        change(t, with_sysctl(name, '1'), 'linux.sysctl', name)
    for name, value in (('kernel.msgmax', 'much'), ('kernel.msgmax', '-1'), ('kernel.sem', '1 2 3 99999999999'),
                        ('net.ipv4.ip_unprivileged_port_start', '65536'), ('net.ipv4.ip_local_port_range', '5'),
                        ('net.ipv4.ip_local_port_range', '6000 5000'), ('net.core.somaxconn', '99999999')):
        change(t, with_sysctl(name, value), 'linux.sysctl', name, value[:20])


def strace_names(t):
    """--strace-syscalls with a name that does not exist is refused, and says which list"""
    t.only_ours('the flag')
    bundle = t.bundle()
    for names in ('imaginary', 'read,imaginary', 'read,,write', 'read,reads'):
        done = subprocess.run([t.runtime.binary, '--root', t.runtime.state, f'--platform={t.runtime.platform}', '--network=none', '--strace',
                               f'--strace-syscalls={names}', 'run', '--bundle', bundle.path, t.name()], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=20)
        t.refused(done, '--strace-syscalls', names)


def relative_cwd(t):
    """a working directory that is relative or missing"""
    change(t, lambda config: config['process'].update(cwd='tmp'), 'cwd')
    t.only_ours('the empty one')
    change(t, lambda config: config['process'].update(cwd=''), 'cwd')


def odd_bytes(t):
    """NUL and newlines in strings do no harm"""
    t.only_ours('the refusal')
    change(t, lambda config: config['process'].update(args=['/bin/echo\x00x']))
    change(t, lambda config: config['root'].update(path='root\x00fs'))
    bundle = t.bundle(['/bin/echo', 'a\nb'])
    t.equal(t.runtime.run(bundle, t.name()).stdout, 'a\nb\n', 'an argument with a newline')


def many_of_everything(t):
    """very many arguments, variables and mounts: it runs or is refused, and never hangs"""
    bundle = t.bundle(['/bin/echo'] + ['x' * 100] * 1000)
    t.equal(len(t.runtime.run(bundle, t.name(), timeout=30).stdout), 101 * 1000, 'output of a thousand arguments')
    bundle = t.bundle(['/bin/echo'] + ['x' * 1000] * 10000)
    t.true(t.runtime.run(bundle, t.name(), timeout=30).returncode != 0, 'ten megabytes of arguments were taken')
    bundle = t.bundle()
    bundle.config['process']['env'] += [f'V{i}=x' for i in range(5000)]
    bundle.write()
    t.succeeded(t.runtime.run(bundle, t.name(), timeout=30), 'five thousand variables')


def broken_state(t):
    """a state file that is garbage: the error says so, delete --force removes it"""
    t.only_ours('the state file')
    bundle, name = t.bundle(['/bin/sh', '-c', 'while :; do sleep 0.05; done']), t.name()
    t.succeeded(t.runtime.create(bundle, name), 'create')
    held = []
    for folder, _, files in os.walk(t.runtime.state):
        held += [os.path.join(folder, file) for file in files if name in os.path.join(folder, file)]
    states = [path for path in held if os.path.isfile(path) and harness.read_text(path).lstrip().startswith('{')]
    t.true(states, f'found no state file among {held}')
    texts = {path: harness.read_text(path) for path in states}
    for content in ('', '{', '[]', 'x' * 1000):
        for path in states:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(content)
        t.refused(t.runtime.call('state', name), name)
        t.true(t.runtime.call('list').returncode in (0, 128), 'list crashed')
    for path, text in texts.items():
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    t.succeeded(t.runtime.call('delete', '--force', name), 'delete --force')


def unwritable_places(t):
    """a pid file, a log or a state folder that cannot be made"""
    name = t.name()
    t.refused(t.runtime.call('create', '--bundle', t.bundle().path, '--pid-file', '/no/such/folder/pid', name))
    t.refused(t.runtime.call('state', name), 'does not exist')
    t.only_ours('the rest')
    done = subprocess.run([t.runtime.binary, '--root', '/proc/nowhere', 'run', '--bundle', t.bundle().path, name], text=True,
                          capture_output=True, timeout=10, stdin=subprocess.DEVNULL, check=False)
    t.equal(done.returncode, 128, 'status with a state folder that cannot be')


def bad_exec(t):
    """exec with a broken process file is refused, and the container lives on"""
    bundle, name = t.bundle(['/bin/sh', '-c', 'while :; do sleep 0.05; done']), t.name()
    t.succeeded(t.runtime.create(bundle, name), 'create')
    t.succeeded(t.runtime.call('start', name), 'start')
    for text in ('', '{', '[]', '{"args": []}', '{"args": "ls", "cwd": "/"}', '{"args": ["/bin/true"], "cwd": 3}'):
        with open(t.path('process.json'), 'w', encoding='utf-8') as file:
            file.write(text)
        t.refused(t.runtime.call('exec', '--process', t.path('process.json'), name, timeout=20))
    t.equal(t.runtime.status(name), 'running', 'state')
    t.succeeded(t.runtime.call('delete', '--force', name), 'delete --force')


harness.main(__doc__, [
    no_bundle, no_config, truncated_config, not_json, huge_config, config_is_folder, wrong_types, no_args, no_process, no_such_program,
    broken_programs, no_rootfs, relative_destination, escaping_mounts, bind_missing, unknown_namespace, unknown_values, sysctls, strace_names,
    relative_cwd, odd_bytes, many_of_everything, broken_state, unwritable_places, bad_exec,
])
