#!/usr/bin/env python3
"""Every .c opens with its purpose, and every exported function has a comment: above it, or above its declaration."""
import re

import lint

# What something else explains: handlers their row in syscalls.def, thin host_* wrappers the man page and their
# host-calls comment, files of proc and sys the row of their table, and these endings mean the same everywhere in the tree.
EXEMPT = re.compile(r'^(main|\w+_main|sys_\w+|host_\w+|(proc|sysfs)_(show|store)_\w+|\w+_(init|destroy|new|free|get|put|lock|unlock|trylock)|LLVMFuzzerTestOneInput)$')
COMMENT_END = re.compile(r'\*/\s*$')
DECLARATION = re.compile(r'^(?:extern\s+)?[A-Za-z_][\w \t*]*?[ \t*]([a-z_]\w*)\s*\([^;{]*\)[^;{]*;', re.MULTILINE)


def commented(lines, line):
    """Whether what starts at this line (from 1) ends a comment above it, or stands in a block whose first line has one."""
    at = line - 2
    while at >= 0 and lines[at].strip():
        if COMMENT_END.search(lines[at]):
            return True
        at -= 1
    return bool(re.search(r'/\*.*\*/\s*$', lines[line - 1]))


def explained_in_headers(tree):
    names = set()
    for path in tree.code('.h'):
        text = tree.text(path)
        code, lines = lint.without_comments(text), text.split('\n')
        # A header's comment that names a function with its brackets explains it, wherever it stands.
        for comment in re.findall(r'/\*.*?\*/', text, re.DOTALL):
            names.update(re.findall(r'\b(\w+)\(\)', comment))
        for match in DECLARATION.finditer(code):
            if commented(lines, lint.line_of(code, match.start())):
                names.add(match.group(1))
    return names


def check(tree):
    explained = explained_in_headers(tree)
    for path in tree.code('.c'):
        text = tree.text(path)
        if not text.lstrip().startswith('/*'):
            yield lint.Finding(path, 1, 'does not open with a comment on its purpose')
        lines = text.split('\n')
        for function in lint.functions(text):
            if function.static or function.name in explained or EXEMPT.match(function.name):
                continue
            if not commented(lines, function.line):
                yield lint.Finding(path, function.line, f'{function.name}() is exported and has no comment, neither here nor in a header')


CASES = [
    ({'fs/a.c': '/* Purpose. */\n/* f() - does it */\nint f(void)\n{\n}\n'}, None),
    ({'fs/a.c': 'int f(void);\n'}, 'does not open'),
    ({'fs/a.c': '/* Purpose. */\n\nint f(void)\n{\n}\n'}, 'f() is exported'),
    ({'fs/a.c': '/* Purpose. */\n\nint f(void)\n{\n}\n', 'fs/a.h': '/* f() - does it */\nint f(void);\n'}, None),
    ({'fs/a.c': '/* Purpose. */\n\nint f(void)\n{\n}\n', 'fs/a.h': '\nint f(void);\n'}, 'f() is exported'),
    ({'fs/a.c': '/* Purpose. */\n\nint f(int x)\n{\n}\n', 'fs/a.h': '/* f() and g() - two of a kind */\nint g(int x);\nint f(int x);\n'}, None),
    ({'fs/a.c': '/* Purpose. */\n\nint f(int x)\n{\n}\n', 'fs/a.h': '/* Two of a kind: f() and g(). */\n\nint f(int x);\n'}, None),
    ({'fs/a.c': '/* Purpose. */\n\nint mutex_init(int x)\n{\n}\n'}, None),
    ({'fs/a.c': '/* Purpose. */\n\nstatic int f(void)\n{\n}\n'}, None),
    ({'fs/a.c': '/* Purpose. */\n\nint sys_getpid(void)\n{\n}\n'}, None),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
