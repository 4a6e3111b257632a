#!/usr/bin/env python3
"""Files and functions stay small: .c 1,200 lines, .h 400, functions 100 but for a flat table or switch (said above it)."""
import lint

C_LINES, H_LINES, FUNCTION_LINES = 1200, 400, 100
FLAT = ('flat table', 'flat switch')


def is_flat(text, function):
    """Whether the comment above the function says that it is one flat table or switch."""
    above = text.split('\n')[max(0, function.line - 12):function.line - 1]
    return any(word in line for line in above for word in FLAT)


def check(tree):
    for path in tree.under(lint.CODE + ('tests',), ('.c', '.h')):
        text = tree.text(path)
        count, limit = text.count('\n'), C_LINES if path.endswith('.c') else H_LINES
        if count > limit:
            yield lint.Finding(path, 1, f'{count} lines: {limit} are the most, split it by verb')
        for function in lint.functions(text):
            length = function.last - function.first + 1
            if length > FUNCTION_LINES and not is_flat(text, function):
                yield lint.Finding(path, function.line, f'{function.name}() has {length} lines: {FUNCTION_LINES} are the most')


BODY = 'int f(void)\n{\n' + '    g();\n' * 101 + '}\n'
CASES = [
    ({'fs/a.c': 'int f(void)\n{\n' + '    g();\n' * 100 + '}\n'}, None),
    ({'fs/a.c': BODY}, 'fs/a.c:1: f() has 101 lines'),
    ({'fs/a.c': '/* f() - one flat switch */\n' + BODY}, None),
    ({'fs/a.c': 'static const struct x t[] = {\n' + '    {1},\n' * 300 + '};\n'}, None),
    ({'fs/a.c': '\n' * 1201}, '1201 lines'),
    ({'fs/a.h': '\n' * 401}, '401 lines'),
    ({'fs/a.c': '\n' * 1200, 'fs/a.h': '\n' * 400}, None),
    ({'fs/a.c': 'static int\nlong_name(int a,\n          int b)\n{\n' + '    g();\n' * 101 + '}\n'}, 'long_name() has'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
