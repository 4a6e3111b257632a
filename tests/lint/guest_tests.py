#!/usr/bin/env python3
"""Every supported row of syscalls.def has a guest test that covers its success, and a test's words name calls that exist."""
import os
import re

import lint

TABLE = 'sentry/abi/syscalls.def'
ROW = re.compile(r'^\s*SYSCALL(_NONE)?\(\s*(\d+)\s*,\s*(\w+)', re.MULTILINE)
STRING = r'"((?:[^"\\]|\\.)*)"'
TEST = re.compile(r'\bTEST(?:_\w+)?\(\s*(\w+)\s*(?:,\s*[^",]+)?,\s*((?:' + STRING + r'\s*)+)\)')
HEADERS = ('/usr/include/x86_64-linux-gnu/asm/unistd_64.h', '/usr/include/asm/unistd_64.h')
NOTE_WITHOUT = re.compile(r'no guest test:')
# A row whose note says so never succeeds, and neither do these: then that error is what is to be covered.
NOTE_ALWAYS = re.compile(r'always (E[A-Z0-9]+)')
NEVER_SUCCEED = {'pause': 'EINTR', 'rt_sigsuspend': 'EINTR', 'restart_syscall': 'EINTR'}


def rows(tree):
    """{name: (line, supported, the row's text)}."""
    text = tree.text(TABLE)
    code = re.sub(r'/\*.*?\*/', lambda match: re.sub(r'[^\n]', ' ', match.group(0)), text, flags=re.DOTALL)
    found, matches = {}, list(ROW.finditer(code))
    for match, following in zip(matches, matches[1:] + [None]):
        body = code[match.start():following.start() if following else len(code)]
        found[match.group(3)] = (lint.line_of(code, match.start(3)), not match.group(1), body)
    return found


def covered(tree):
    """{call: set of outcomes}, 'ok' for success, and the places of each word."""
    outcomes, places = {}, {}
    for path in tree.under(('tests',), '.c'):
        if not path.startswith('tests/guest/'):
            continue
        text = tree.text(path)
        for match in TEST.finditer(text):
            words = ' '.join(re.findall(STRING, match.group(2))).split()
            for word in words:
                call, _, errors = word.partition(':')
                outcomes.setdefault(call, set()).update(errors.split(',') if errors else ['ok'])
                places.setdefault(call, (path, lint.line_of(text, match.start())))
    return outcomes, places


def linux_calls():
    """The names that the C library's header has; a test may cover what is not supported yet, but not what never was."""
    for path in HEADERS:
        if os.path.exists(path):
            with open(path, encoding='utf-8') as header:
                return set(re.findall(r'^#define __NR_(\w+)', header.read(), re.MULTILINE))
    return set()


def check(tree):
    table = rows(tree)
    outcomes, places = covered(tree)
    for name, (line, supported, body) in table.items():
        always = NOTE_ALWAYS.search(body)
        wanted = {'ok', always.group(1) if always else NEVER_SUCCEED.get(name, 'ok')}
        if supported and not wanted & outcomes.get(name, set()) and not NOTE_WITHOUT.search(body):
            yield lint.Finding(TABLE, line, f'{name} is supported, and no guest test covers its success: TEST(…, "{name}")')
    known = set(table) | linux_calls()
    for name in sorted(set(outcomes) - known) if len(known) > len(table) else []:
        path, line = places[name]
        yield lint.Finding(path, line, f'covers "{name}", which is no system call')


DEF = '/* SYSCALL(9, example, FULL) */\nSYSCALL(0, read, FULL, "fd:FD", "")\nSYSCALL_NONE(7, poll, "later")\n'
CASES = [
    ({TABLE: DEF, 'tests/guest/a.c': 'TEST(reads, "read")\n{\n}\n'}, None),
    ({TABLE: DEF, 'tests/guest/a.c': 'TEST(reads, "read:EBADF")\n'}, 'read is supported, and no guest test'),
    ({TABLE: DEF}, f'{TABLE}:2: read is supported'),
    ({TABLE: DEF, 'tests/guest/a.c': 'TEST_LONG(reads, 90, "read:EBADF "\n    "read")\n'}, None),
    ({TABLE: DEF, 'tests/guest/a.c': 'TEST(reads, "read raed")\n'}, 'covers "raed"'),
    ({TABLE: 'SYSCALL(9, adjtimex, PARTIAL, "b:PTR", "always EPERM: the host\'s")\n', 'tests/guest/a.c': 'TEST(a, "adjtimex:EPERM")'}, None),
    ({TABLE: 'SYSCALL(9, adjtimex, PARTIAL, "b:PTR", "always EPERM: the host\'s")\n', 'tests/guest/a.c': 'TEST(a, "adjtimex:EINVAL")'}, 'adjtimex is'),
    ({TABLE: 'SYSCALL(0, read, FULL, "fd:FD", "no guest test: needs a second machine")\n'}, None),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
