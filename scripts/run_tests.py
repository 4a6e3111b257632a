#!/usr/bin/env python3
"""Builds the presets that a test run needs, runs their meson tests, and ends with one line of counts.

run_tests.py MODE [BUILD_ROOT]: MODE is fast, default, all or soak. scripts/test is the way to call it.
A preset that does not build counts as one failed test, so a broken build can never look like a green run.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import collect

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# mode: the presets, and for each the suites that run on it.
PLANS = {
    'fast': [('release', ['lint', 'unit', 'host', 'guest-host', 'guest'])],
    'default': [
        ('debug', ['unit', 'guest', 'fuzz']),
        ('release', ['lint', 'host', 'guest-host', 'guest', 'escape-host', 'escape', 'oci']),
    ],
    'all': [
        ('debug', ['unit', 'guest', 'fuzz', 'escape', 'oci']),
        ('release', ['lint', 'unit', 'host', 'guest-host', 'guest', 'escape-host', 'escape', 'oci', 'wide', 'fresh']),
        ('asan', ['unit', 'guest', 'fuzz']),
        ('tsan', ['unit', 'guest']),
    ],
    'soak': [('debug', ['soak'])],
}


def build(preset):
    """Returns the build folder, or None if it does not build."""
    done = subprocess.run([os.path.join(ROOT, 'scripts/build'), preset], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 else None


def suites_of(folder):
    """The suites that have at least one test: meson refuses a name that it does not know."""
    done = subprocess.run(['meson', 'introspect', '--tests', folder], stdout=subprocess.PIPE, text=True, check=True)
    return {suite.split(':')[-1] for test in json.loads(done.stdout) for suite in test['suite']}


def run(folder, suites, mode):
    """Runs the suites; returns meson's log of them, or None if there was nothing to run."""
    present = [suite for suite in suites if suite in suites_of(folder)]
    if not present:
        return None
    log = os.path.join(folder, 'meson-logs', 'testlog.json')
    if os.path.exists(log):
        os.unlink(log)
    command = ['meson', 'test', '-C', folder, '--no-rebuild']
    for suite in present:
        command += ['--suite', suite]
    env = dict(os.environ, RUNSC_TEST_MODE=mode)
    subprocess.run(command, env=env, stdin=subprocess.DEVNULL)
    return log


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else 'default'
    if mode not in PLANS:
        sys.exit(f"run_tests.py: unknown mode '{mode}'")
    start = time.monotonic()
    tally = collect.Tally()
    for preset, suites in PLANS[mode]:
        print(f'== {preset}: {" ".join(suites)}', flush=True)
        folder = build(preset)
        if folder is None:
            tally.add(preset, collect.Case('build', 'failed', f'preset {preset} does not build'))
            continue
        tally.add(preset, collect.Case('build', 'passed', ''))
        log = run(folder, suites, mode)
        if log is None:
            continue
        tally.add_meson_log(preset, log)
    print(f'== {time.monotonic() - start:.0f} s', flush=True)
    sys.exit(tally.finish())


if __name__ == '__main__':
    main()
