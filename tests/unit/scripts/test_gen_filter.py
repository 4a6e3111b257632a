#!/usr/bin/env python3
"""The generator of seccomp lists: what declarations mean, what it refuses, and that an unreviewed change is seen."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../scripts')
sys.path.insert(0, SCRIPTS)
import gen_filter


class Tree(unittest.TestCase):
    """A small tree with one source; run() drives the script as the build does."""

    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        for folder in ('sentry/base', 'cmd/sandbox', 'cmd/gofer'):
            os.makedirs(os.path.join(self.root, folder))

    def write(self, path, text):
        with open(os.path.join(self.root, path), 'w', encoding='utf-8') as out:
            out.write(text)

    def run_script(self, *args):
        done = subprocess.run([sys.executable, os.path.join(SCRIPTS, 'gen_filter.py'), '--root', self.root, *args],
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def printed(self, text, process='sentry'):
        self.write('sentry/base/a.c', text)
        code, out, err = self.run_script('print', process)
        self.assertEqual(code, 0, err)
        return out.splitlines()

    def refused(self, text):
        self.write('sentry/base/a.c', text)
        code, _, err = self.run_script('print', 'sentry')
        self.assertEqual(code, 1)
        return err


class Declarations(Tree):
    def test_calls_and_processes(self):
        text = '/* host-calls(sentry gofer): read write — stdio */\n/* host-calls(gofer): openat -- files */\n'
        self.assertEqual(self.printed(text), ['read\tstdio', 'write\tstdio'])
        self.assertEqual(self.printed(text, 'gofer'), ['openat\tfiles', 'read\tstdio', 'write\tstdio'])

    def test_several_lines_and_doc_comment_stars(self):
        text = '/* host-calls(sentry): read\n *     write — one\n *     reason */\n'
        self.assertEqual(self.printed(text), ['read\tone reason', 'write\tone reason'])

    def test_reasons_are_joined_once(self):
        text = '/* host-calls(sentry): read — a */\n/* host-calls(sentry): read — b */\n/* host-calls(sentry): read — a */\n'
        self.assertEqual(self.printed(text), ['read\ta; b'])

    def test_conditions_are_canonical(self):
        text = '/* host-calls(sentry): mmap(3=B|A, 2&PROT_EXEC=0) — heap */\n'
        self.assertEqual(self.printed(text), ['mmap(2&PROT_EXEC=0,3=A|B)\theap'])

    def test_refusals_name_the_line(self):
        for text in ('host-calls(sentry) read — x', 'host-calls(sentry): read', 'host-calls(nobody): read — x',
                     'host-calls(sentry): ioctl(9=1) — x', 'host-calls(sentry): ioctl(1==2) — x',
                     'host-calls(sentry): Read — x', 'host-calls(sentry): read,write — x'):
            self.assertIn('sentry/base/a.c:2', self.refused(f'\n/* {text} */\n'), text)


class Review(Tree):
    def test_new_call_fails_the_check_and_the_build(self):
        self.write('sentry/base/a.c', '/* host-calls(sentry): read — a */\n')
        self.assertEqual(self.run_script('update', 'sentry')[0], 0)
        self.assertEqual(self.run_script('check', 'sentry')[0], 0)
        self.write('sentry/base/a.c', '/* host-calls(sentry): read write — a */\n')
        code, out, _ = self.run_script('check', 'sentry')
        self.assertEqual(code, 1)
        self.assertIn('+write\ta', out)
        code, _, err = self.run_script('rules', 'sentry', os.path.join(self.root, 'out.c'))
        self.assertEqual(code, 1)
        self.assertIn('+write\ta', err)

    def test_stale_line_and_changed_condition_fail(self):
        self.write('sentry/base/a.c', '/* host-calls(sentry): ioctl(1=FIONREAD) — a */\n')
        self.write('cmd/sandbox/seccomp.list', 'ioctl(1=FIONREAD|TCGETS)\ta\n')
        self.assertEqual(self.run_script('check', 'sentry')[0], 1)

    def test_moot_condition_fails(self):
        self.write('sentry/base/a.c', '/* host-calls(sentry): ioctl(1=FIONREAD) ioctl — a */\n')
        self.run_script('update', 'sentry')
        code, out, _ = self.run_script('check', 'sentry')
        self.assertEqual(code, 1)
        self.assertIn('ioctl', out)


class Rules(Tree):
    def rules(self, text):
        self.write('sentry/base/a.c', text)
        out = os.path.join(self.root, 'out.c')
        code, _, err = self.run_script('rules', 'sentry', out, '--no-review', '--sanitizer', '--depfile', out + '.d')
        self.assertEqual(code, 0, err)
        with open(out, encoding='utf-8') as source:
            return [line.strip() for line in source if line.startswith('    {')]

    def test_alternatives_become_rows(self):
        rows = self.rules('/* host-calls(sentry): ioctl(1=A|B,2&0xff=C+D) — x */\n')
        self.assertEqual(len(rows), 2)
        self.assertIn('{1, ~UINT64_C(0), ((uint64_t)(A))}', rows[0])
        self.assertIn('{2, ((uint64_t)(0xff)), ((uint64_t)(C)|(uint64_t)(D))}', rows[0])

    def test_sanitizer_list_is_added(self):
        self.write('cmd/sandbox/seccomp.list.sanitizer', '# runtime\nreadlink\tstack traces\n')
        rows = self.rules('/* host-calls(sentry): read — x */\n')
        self.assertTrue(any('"readlink"' in row for row in rows))

    def test_depfile_names_sources_and_folders(self):
        self.rules('/* host-calls(sentry): read — x */\n')
        with open(os.path.join(self.root, 'out.c.d'), encoding='utf-8') as deps:
            text = deps.read()
        self.assertIn('sentry/base/a.c', text)
        self.assertIn('sentry/base ', text)


class Program(unittest.TestCase):
    """The made program, run: an allowed call passes, a condition holds, everything else kills."""

    EXPORTER = '''
#include <sys/prctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/ioctl.h>
#include "filter.h"
int main(int argc, char **argv)
{
    struct sock_fprog program = {sentry_filter_len, (struct sock_filter *)sentry_filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(9);
    if (argv[1][0] == 'i') syscall(SYS_ioctl, 0, (long)FIONREAD, 0L);
    if (argv[1][0] == 'I') syscall(SYS_ioctl, 0, (long)TIOCSTI, 0L);
    if (argv[1][0] == 'g') syscall(SYS_getpid);
    syscall(SYS_exit_group, 3);
}
'''

    def test_end_to_end(self):
        root = os.path.realpath(os.path.join(SCRIPTS, '..'))
        with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(io.StringIO()):
            def path(name):
                return os.path.join(work, name)
            rules = {gen_filter.Rule('exit_group', ''): ['x'], gen_filter.Rule('ioctl', '1=FIONREAD'): ['x']}
            with open(path('rules.c'), 'w', encoding='utf-8') as out:
                out.write(gen_filter.rules_source('sentry', rules))
            with open(path('main.c'), 'w', encoding='utf-8') as out:
                out.write(self.EXPORTER)
            compiler = os.environ.get('CC', 'cc')
            subprocess.run([compiler, '-D_GNU_SOURCE', '-I', root, '-o', path('export'), path('rules.c'),
                            os.path.join(root, 'cmd/filter/export_bpf.c'), '-lseccomp'], check=True)
            with open(path('filter.h'), 'w', encoding='utf-8') as out:
                subprocess.run([path('export')], stdout=out, check=True)
            subprocess.run([compiler, '-D_GNU_SOURCE', '-o', path('main'), path('main.c')], check=True)
            self.assertEqual(subprocess.run([path('main'), '-']).returncode, 3)
            self.assertEqual(subprocess.run([path('main'), 'i']).returncode, 3)
            self.assertEqual(subprocess.run([path('main'), 'I']).returncode, -31)
            self.assertEqual(subprocess.run([path('main'), 'g']).returncode, -31)


if __name__ == '__main__':
    unittest.main()
