#!/usr/bin/env python3
"""Every header compiles alone, and says so only once (an include guard)."""
import concurrent.futures
import os
import shlex
import subprocess
import tempfile

import lint

FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-DDEBUG_CHECKS=1', '-DSANITIZED=0', '-Wall', '-Wextra', '-Wno-unused-parameter',
         '-Wno-unused-function', '-Werror', '-fsyntax-only', '-x', 'c']
BANNED = 'sentry/base/banned.h'


def compile_alone(root, path):
    """Return: (path, the compiler's words or '')."""
    compiler = shlex.split(os.environ.get('CC', 'cc'))
    include = ['-include', os.path.join(root, BANNED)] if os.path.exists(os.path.join(root, BANNED)) else []
    # Included twice: a header without a guard declares its structs again.
    done = subprocess.run([*compiler, *FLAGS, '-I', root, *include, '-'], input=f'#include "{path}"\n#include "{path}"\n',
                          capture_output=True, text=True, check=False, env=dict(os.environ, LC_ALL='C'))
    return path, done.stderr if done.returncode else ''


def check(tree):
    if tree.given is not None:
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.given.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                    file.write(text)
            yield from compile_all(root, tree.code('.h'))
    else:
        yield from compile_all(tree.root, tree.code('.h'))


def compile_all(root, paths):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, words in pool.map(lambda path: compile_alone(root, path), paths):
            if words:
                first = next((line for line in words.splitlines() if 'error' in line), words.splitlines()[0])
                yield lint.Finding(path, 1, 'does not compile alone: ' + first.replace(root + '/', ''))


CASES = [
    ({'fs/a.h': '#pragma once\n#include <stdint.h>\nstruct a { uint32_t x; };\n', 'fs/b.h': '#pragma once\n#include "fs/a.h"\nstruct b { struct a a; };\n'}, None),
    ({'fs/a.h': '#pragma once\nstruct a { no_such_type x; };\n'}, 'does not compile alone'),
    ({'fs/a.h': 'struct a { int x; };\n'}, 'redefinition'),
    ({'fs/a.h': '#pragma once\n#include "fs/missing.h"\n'}, 'missing.h'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
