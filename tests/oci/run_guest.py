#!/usr/bin/env python3
"""Runs one guest test program inside a container and passes its TAP on.

run_guest.py PROGRAM [TEST…]: a bundle of busybox and the program; the program's first act is to make sure that it runs in the
sandbox. RUNSC, RUNSC_PLATFORM and GUEST_OPS are heeded; GUEST_DIR chooses where its files go (default /tmp, a tmpfs;
/root is the container's root file system).
"""
import os
import subprocess
import sys

import harness


def show_failure(suite, done):
    for line in (done.stderr or '').splitlines()[-20:]:
        print(f'# {line}')


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: run_guest.py PROGRAM [TEST…]')
    program, tests = sys.argv[1], sys.argv[2:]
    binary = harness.binary_or_skip()
    harness.become_subreaper()
    suite = harness.Suite(binary, os.environ.get('RUNSC_PLATFORM', 'ptrace'))
    status = 1
    try:
        inside = '/guest/' + os.path.basename(program)
        checked = ['--sandbox'] if suite.runtime.ours else []
        bundle = suite.bundle([inside, *checked, *tests])
        bundle.add_file(program, inside)
        for variable in ('GUEST_OPS', 'GUEST_DIR'):
            if os.environ.get(variable):
                bundle.config['process']['env'].append(f'{variable}={os.environ[variable]}')
        bundle.write()
        seconds = int(os.environ.get('GUEST_TIMEOUT', '570'))
        done = suite.runtime.run(bundle, suite.name('guest'), timeout=seconds)
        print(done.stdout, end='' if done.stdout.endswith('\n') else '\n', flush=True)
        show_failure(suite, done)
        status = done.returncode
        left = suite.clean()
        if left:
            print('Bail out! left behind: ' + '; '.join(left))
            status = 1
        suite.no_reports()
    except harness.Failure as failure:
        for line in str(failure).splitlines():
            print(f'# {line}')
        print('Bail out! ' + str(failure).splitlines()[0])
        status = 1
    except harness.Skip as reason:
        print(f'1..0 # SKIP {reason}')
        status = 0
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b''
        print(output.decode('utf-8', 'replace') if isinstance(output, bytes) else output)
        print(f'Bail out! no end within {late.timeout:.0f} s')
    finally:
        suite.force_end()
        suite.close()
    sys.exit(status)


if __name__ == '__main__':
    main()
