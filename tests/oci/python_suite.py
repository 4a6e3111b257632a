#!/usr/bin/env python3
"""Python's own test suite: each test's verdict in the sandbox is the host's.

Debian's libpython3.11-testsuite, module by module, under chroot on the host and in the sandbox. A test whose verdict differs is
run once more in both places alone. What must differ stands in python_exceptions.tsv: test, tab, the host mechanism that
forbids it; a listed test that agrees fails the run, and so do more than two of a hundred. By hand: python_suite.py test_os test_mmap
"""
import json
import os
import subprocess
import time

import compare
import debian
import harness
import verdicts

TREE = 'wide'
COMPARISON = verdicts.Comparison(os.path.join(harness.ROOT, 'tests/oci/python_exceptions.tsv'))
SECONDS = 300  # for a module; one that the host needs long for has SLOWER times as long in the sandbox
SLOWER = 8
MODULES = '''test_atexit test_contextlib test_dbm test_dbm_dumb test_eintr test_exception_hierarchy test_faulthandler test_fcntl test_file test_file_eintr
    test_fileinput test_fileio test_filecmp test_fork1 test_gc test_genericpath test_getpass test_glob test_grp test_import test_io
    test_largefile test_mailbox test_memoryio test_mmap test_openpty test_os test_pathlib test_pipes test_platform test_poll test_popen
    test_posix test_posixpath test_pty test_pwd test_queue test_random test_resource test_robotparser test_sched test_select test_selectors
    test_shelve test_shutil test_signal test_site test_stat test_subprocess test_sys test_tarfile test_tempfile test_termios test_thread
    test_threadedtempfile test_threading test_threading_local test_threadsignals test_time test_timeout test_tty test_uuid test_venv test_wait3
    test_wait4 test_zipfile test_zipimport test_concurrent_futures test_ctypes test_sqlite3 test_epoll
    test_asyncio test_multiprocessing_fork test_multiprocessing_forkserver test_multiprocessing_spawn test_socket
    test_socketserver test_ssl test_asyncore test_asynchat test_httpservers test_ftplib test_smtpd test_smtplib test_telnetlib test_poplib
    test_imaplib test_nntplib test_urllib2_localnet test_xmlrpc test_logging'''.split()


def verdicts_of(path):
    """{test: (verdict, why)} of a verdict file: a test that began and never ended died."""
    found = {}
    for line in harness.read_text(path).splitlines():
        entry = json.loads(line)
        verdict = 'died' if entry['verdict'] == 'begun' else entry['verdict']
        found[entry['test']] = (verdict, entry['why'])
    return found


def run(t, module, on_host, names=(), seconds=SECONDS):
    """Return: the verdicts of a module, or of the named tests, and the last of what it said."""
    words = ['/usr/bin/python3', '/t/suite_runner.py', module, '/verdicts.jsonl', str(seconds), *names]
    with compare.scratch(t, TREE) as copy:
        compare.put(copy, {'/t/suite_runner.py': 'suite_runner.py'})
        try:
            if on_host:
                done = subprocess.run(debian.host_command(copy.path, words, (), compare.CAPS), capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=seconds + 60, check=False, **compare.TEXT)
            else:
                bundle = compare.DebianBundle(t.path(t.name('bundle')), copy, words)
                done = t.runtime.run(bundle, t.name(), timeout=seconds + 60, **compare.TEXT)
            said = f'status {done.returncode}\n' + (done.stdout + done.stderr)[-3000:]
        except subprocess.TimeoutExpired:
            t.force_end()
            said = 'no end'
        return verdicts_of(os.path.join(copy.path, 'verdicts.jsonl')), said


def agree(t, module):
    """One module's verdicts agree, but for the listed exceptions."""
    began = time.monotonic()
    host, said = run(t, module, True)
    limit = max(SECONDS, round(SLOWER * (time.monotonic() - began)))
    t.true('end' in host or all(verdict == 'skip' for verdict, _ in host.values()) and host, f'no end on the host: {said}')
    box, said = run(t, module, False, seconds=limit)

    def again(names):
        names = [name for name in names if '(' not in name]  # setUpClass and its like have no name to run alone
        return (run(t, module, True, names)[0], run(t, module, False, names)[0]) if names and 'end' in box else ({}, {})
    COMPARISON.agree(t, f'test.{module}.', host, box, again, said)


def few_exceptions(t):
    """at most two of a hundred tests are exceptions"""
    COMPARISON.few_exceptions(t)


def point(module):
    def function(t):
        agree(t, module)
    function.__name__ = module
    function.__doc__ = "its verdicts are the host's"
    return function


if __name__ == '__main__':
    harness.main(__doc__, [*map(point, MODULES), few_exceptions])
