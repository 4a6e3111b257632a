#!/usr/bin/env python3
"""The support table of the README, made from sentry/abi/syscalls.def.

gen_support.py           prints the table
gen_support.py --update  rewrites it in README.md, between the markers
gen_support.py --check   exits 1 if README.md's differs
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = 'sentry/abi/syscalls.def'
BEGIN, END = '<!-- support table: begin, made by scripts/gen_support.py -->', '<!-- support table: end -->'
STRING = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(r'^SYSCALL\(\s*(\d+)\s*,\s*(\w+)\s*,\s*(FULL|PARTIAL)\s*,\s*((?:' + STRING + r'\s*)+),\s*((?:' + STRING + r'\s*)+)\)',
                 re.MULTILINE)
NONE = re.compile(r'^SYSCALL_NONE\(\s*(\d+)\s*,\s*(\w+)\s*,\s*((?:' + STRING + r'\s*)+)\)', re.MULTILINE)


def joined(strings):
    return ''.join(re.findall(STRING, strings))


def rows(text):
    """(full names, [(name, note)] of partial ones, [(name, why)] of those that answer ENOSYS with a reason)."""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)
    full, partial = [], []
    for match in ROW.finditer(text):
        note = joined(match.group(6))
        if match.group(3) == 'FULL':
            full.append(match.group(2))
        else:
            partial.append((match.group(2), note))
    none = [(match.group(2), joined(match.group(3))) for match in NONE.finditer(text)]
    return full, partial, none


def table(text):
    full, partial, none = rows(text)
    lines = [f'{len(full) + len(partial)} system calls are served, {len(full)} of them whole:', '', '`' + '` `'.join(sorted(full)) + '`', '']
    if partial:
        lines += ['| in part | what is missing |', '|---|---|']
        lines += [f'| `{name}` | {note} |' for name, note in sorted(partial)] + ['']
    if none:
        by_reason = {}
        for name, why in none:
            by_reason.setdefault(why, []).append(name)
        lines += ['| answered with ENOSYS | why |', '|---|---|']
        lines += ['| ' + ' '.join(f'`{name}`' for name in sorted(names)) + f' | {why} |' for why, names in sorted(by_reason.items())] + ['']
    lines.append('Any other call answers ENOSYS.')
    return '\n'.join(lines)


def replaced(readme, made):
    """README's text with the table in its place; None if it has no place."""
    if BEGIN not in readme or END not in readme:
        return None
    head, rest = readme.split(BEGIN, 1)
    return head + BEGIN + '\n' + made + '\n' + END + rest.split(END, 1)[1]


def main():
    with open(os.path.join(ROOT, TABLE), encoding='utf-8') as file:
        made = table(file.read())
    path = os.path.join(ROOT, 'README.md')
    if sys.argv[1:] not in (['--check'], ['--update']):
        print(made)
        return 0
    with open(path, encoding='utf-8') as file:
        readme = file.read()
    wanted = replaced(readme, made)
    if wanted is None:
        print(f'README.md has no line {BEGIN}')
        return 1
    if sys.argv[1] == '--check':
        if wanted != readme:
            print("README.md's support table is not what syscalls.def says: run scripts/gen_support.py --update")
        return wanted != readme
    with open(path, 'w', encoding='utf-8') as file:
        file.write(wanted)
    return 0


if __name__ == '__main__':
    sys.exit(main())
