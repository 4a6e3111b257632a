#!/usr/bin/env python3
"""What a person does at a terminal of a Debian: bash with its jobs, less, vim, tmux; with run, exec and docker run.

terminal.py has the parts: the master's side of a pty, and what is typed there.
"""
import os
import re
import signal
import tarfile
import time

import compare
import docker
import harness
from terminal import ENV, Job, PROMPT, add_program, docker_env, job_control, remove, with_docker

SHELL = ['/bin/bash', '--norc', '-i']
IMAGE = 'bash-test'
UTF8 = 'LANG=C.UTF-8'
IN_TMUX = b'PANE> '


def at_prompt(job):
    job.see(re.escape(PROMPT), 'the first prompt')
    return job


def leave(job, status=0):
    job.screen.type(f'exit {status}\r')
    job.finish(status)


def jobs(t, start):
    job_control(t, at_prompt(start()))


def sizes(t, start):
    """The size at the start, and one that comes later: bash tells it in its variables, programs ask the terminal."""
    job = at_prompt(start(rows=31, columns=97))
    t.true(harness.wait_until(lambda: b'31 97' in job.command('stty size'), 5), 'the size')
    job.screen.type('shopt -s checkwinsize; trap "stty size" WINCH\r')
    job.see(rb'WINCH\r\n.*' + re.escape(PROMPT), 'the trap')
    job.screen.resize(40, 120)
    os.kill(job.process.pid, signal.SIGWINCH)
    t.true(harness.wait_until(lambda: b'size 40 120' in job.command('/bin/true; echo size $LINES $COLUMNS'), 5), 'the new size')
    leave(job)


def pages(t, start):
    """less: pages, a search, ^C out of waiting for more, ^Z and back."""
    job = at_prompt(start())
    job.command('seq 1 500 >/tmp/n')
    job.screen.type('less /tmp/n\r')
    job.see(rb'\n23\r\n[^\n]*/tmp/n', 'the first page')
    job.screen.type('/^400$\r')
    job.see(rb'\n422\r\n', 'what was searched')
    job.screen.type('F')
    job.see(rb'Waiting for data', 'that it follows')
    job.screen.type('\x03')
    job.screen.type('\x1a')
    job.see(rb'Stopped.*' + re.escape(PROMPT), 'that it stopped')
    job.screen.type('fg\r')
    job.see(rb'\n500\r\n', 'the last page')
    job.screen.type('q')
    job.see(re.escape(PROMPT), 'the prompt')
    leave(job)


def edits(t, start):
    """vim: text, an undone change, ^Z and back, a new size, a command's output, saving."""
    job = at_prompt(start())
    job.screen.type('vim.tiny -u NONE -i NONE /tmp/text\r')
    job.see(rb'~', 'the empty page')
    job.screen.type('ihello from vim\x1b')
    job.see(rb'hello from vim', 'the text')
    job.screen.type('x')
    job.screen.type('u')
    job.screen.type('\x1a')
    job.see(rb'Stopped.*' + re.escape(PROMPT), 'that it stopped')
    job.screen.resize(40, 100)
    os.kill(job.process.pid, signal.SIGWINCH)
    job.screen.type('fg\r')
    job.see(rb'hello from vim.*~', 'the page again')
    job.screen.type(':r !echo from $((40 + 2))\r')
    job.see(rb'from 42', "a command's output")
    job.screen.type(':wq\r')
    job.see(re.escape(PROMPT), 'the prompt')
    job.command('cat /tmp/text', rb'hello from vim\r\nfrom 42\r\n')
    leave(job)


def in_pane(job, line, wanted):
    """A line typed in a pane, and what is then drawn: what is typed must not look like it."""
    job.screen.type(line + '\r')
    job.see(wanted, line)


def windows(t, start):
    """tmux: two panes, ^C in one, a new size in both, detaching and attaching, its end with the last shell."""
    job = at_prompt(start())
    job.command("echo 'set -g default-command \"PS1=\\\"PANE> \\\" exec bash --norc -i\"' >/tmp/conf")
    job.screen.type('tmux -u -f /tmp/conf new-session -s one\r')
    job.see(re.escape(IN_TMUX), 'the prompt of the first pane')
    in_pane(job, 'echo first $((6 * 7)); stty size', rb'first 42.*23 80')
    job.screen.type('\x02"')
    job.see(re.escape(IN_TMUX), 'the prompt of the second pane')
    in_pane(job, 'echo second $((6 * 8)); stty size', rb'second 48.*11 80')
    in_pane(job, 'sleep 1000', rb'sleep 1000')
    time.sleep(0.3)
    job.key('\x03', re.escape(IN_TMUX), 'the prompt after ^C')
    job.screen.resize(36, 100)
    os.kill(job.process.pid, signal.SIGWINCH)
    time.sleep(0.5)
    in_pane(job, 'stty size', rb'1\d 100')
    job.screen.type('\x02d')
    job.see(rb'detached.*' + re.escape(PROMPT), 'the prompt after detaching')
    job.command('tmux list-panes -t one | wc -l', rb'[\r\n]2\r\n')
    job.screen.type('tmux -u attach -t one\r')
    job.see(rb'second 48', 'the panes again')
    job.screen.type('exit\r')
    time.sleep(0.3)
    job.key('echo first $((6 * 9))\r', rb'first 54', 'the first pane, once the second is gone')
    in_pane(job, 'exit', rb'exited.*' + re.escape(PROMPT))
    leave(job)


TASKS = {'jobs': jobs, 'sizes': sizes, 'less': pages, 'vim': edits, 'tmux': windows}


def bundle(t, copy, words):
    made = compare.DebianBundle(t.path(t.name('bundle')), copy, words)
    made.config['process'].update({'terminal': words is SHELL, 'env': [*ENV, UTF8]})
    made.write()
    return made


def with_run(name, task):
    def test(t):
        with compare.scratch(t, 'tools') as copy:
            made = bundle(t, copy, SHELL)
            task(t, lambda **more: Job(t, t.runtime.command('run', '--bundle', made.path, t.name()), **more))
    test.__name__, test.__doc__ = f'run_{name}', f'run with a terminal: {name}'
    return test


def with_exec(t):
    """exec --tty: each of it, one after the other in one container"""
    with compare.scratch(t, 'tools') as copy:
        made, name = bundle(t, copy, ['/bin/sleep', 'infinity']), t.name()
        t.succeeded(t.runtime.create(made, name), 'create')
        t.succeeded(t.runtime.call('start', name), 'start')
        for task in TASKS.values():
            task(t, lambda **more: Job(t, t.runtime.command('exec', '--tty', name, *SHELL), **more))
        remove(t, name)


def make_image(t):
    """An image with the programs of this machine, as a Debian's whole tree takes dockerd long to keep."""
    made = t.bundle()
    add_program(t, made, 'bash', 'less', 'tmux', 'stty', 'vim')
    os.symlink('/usr/bin/vim', made.rootfs + '/usr/bin/vim.tiny')
    os.symlink('/usr/bin/bash', made.rootfs + '/bin/bash')
    with tarfile.open(t.path('bash.tar'), 'w') as tar:
        tar.add(made.rootfs, arcname='.')
    t.succeeded(docker.daemons.call('import', t.path('bash.tar'), IMAGE), 'docker import')


def docker_words(*words):
    flags = [word for variable in [*ENV, UTF8, 'PATH=/usr/bin:/bin'] for word in ('-e', variable)] # before busybox's
    return [docker.daemons.client, *words, *flags]


@with_docker
def with_docker_run(t):
    """docker run -ti: each of it"""
    make_image(t)
    words = docker_words('run', '--rm', '-ti', '--runtime=runsc', '--network', 'none')
    for task in TASKS.values():
        task(t, lambda **more: Job(t, [*words, IMAGE, *SHELL], env=docker_env(t), **more))


@with_docker
def with_docker_exec(t):
    """docker exec -ti: each of it"""
    done = docker.daemons.call('run', '-d', '--runtime=runsc', '--network', 'none', IMAGE, '/bin/sleep', '1000')
    t.succeeded(done, 'docker run -d')
    name = done.stdout.strip()
    words = docker_words('exec', '-ti')
    for task in TASKS.values():
        task(t, lambda **more: Job(t, [*words, name, *SHELL], env=docker_env(t), **more))
    docker.daemons.remove(name)


if __name__ == '__main__':
    harness.main(__doc__, [with_run(*task) for task in TASKS.items()] + [with_exec, with_docker_run, with_docker_exec],
                 finish=docker.finish)
