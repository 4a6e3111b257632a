#!/usr/bin/env python3
"""README.md's support table is what syscalls.def says, what it and the folder READMEs link to exists, and each top folder has one."""
import os
import re
import sys

import lint

sys.path.insert(0, os.path.join(lint.ROOT, 'scripts'))
import gen_support

LINK = re.compile(r'\]\((?!https?:|#)([^)#\s]+)')
FOLDERS = ('sentry', 'platform', 'fs', 'netstack', 'cmd', 'tests', 'scripts')


def check(tree):
    readme = tree.text('README.md')
    if not readme:
        yield lint.Finding('README.md', 1, 'is missing')
    elif tree.has(gen_support.TABLE):
        wanted = gen_support.replaced(readme, gen_support.table(tree.text(gen_support.TABLE)))
        if wanted is None:
            yield lint.Finding('README.md', 1, 'has no place for the support table')
        elif wanted != readme:
            yield lint.Finding('README.md', 1, 'its support table is stale: run scripts/gen_support.py --update')
    folders = {os.path.dirname(path) for path in tree.paths}
    for top in FOLDERS:
        if any(path.startswith(top + '/') for path in tree.paths) and not tree.has(top + '/README.md'):
            yield lint.Finding(top + '/README.md', 1, 'is missing: purpose, key objects, locks, how to add one')
    for path in tree.paths:
        if not path.endswith('.md'):
            continue
        text = tree.text(path)
        for match in LINK.finditer(text):
            target = os.path.normpath(os.path.join(os.path.dirname(path), match.group(1)))
            if not tree.has(target) and target not in folders and not any(name.startswith(target + '/') for name in folders):
                yield lint.Finding(path, lint.line_of(text, match.start()), f'links to {match.group(1)}, which is not there')


DEF = 'SYSCALL(0, read, FULL, "fd:FD", "")\nSYSCALL(72, fcntl, PARTIAL, "fd:FD", "no leases")\nSYSCALL_NONE(9, sysfs, "obsolete")\n'
GOOD = 'x\n' + gen_support.BEGIN + '\n' + gen_support.table(DEF) + '\n' + gen_support.END + '\n'
CASES = [
    ({'README.md': GOOD, gen_support.TABLE: DEF, 'sentry/README.md': '[abi](abi/syscalls.def)'}, None),
    ({'README.md': GOOD, gen_support.TABLE: DEF + 'SYSCALL(1, write, FULL, "fd:FD", "")\n', 'sentry/README.md': ''}, 'is stale'),
    ({'README.md': 'no table', gen_support.TABLE: DEF, 'sentry/README.md': ''}, 'no place for'),
    ({}, 'README.md:1: is missing'),
    ({'README.md': GOOD, gen_support.TABLE: DEF}, 'sentry/README.md:1: is missing'),
    ({'README.md': 'see [x](no/such.md)'}, 'links to no/such.md'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
