"""What the lints share: the tree's files, comments taken away, findings, and the proof that a lint can fail.

A lint is a script with check(tree), which yields Finding, and CASES: pairs of small trees ({path: text}), one that must be
found fault with (and a part of the text to expect) or must pass (None). `lint.main(__doc__, check, CASES)` runs the check on the
repository, or with --self-test the cases.
"""
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
Finding = namedtuple('Finding', 'path line text')

# Where our C is; tests are C too, but under fewer rules.
CODE = ('sentry', 'platform', 'fs', 'netstack', 'cmd')

TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


class Tree:
    """The files of a folder, read once. In a git checkout: those that git tracks or would."""

    def __init__(self, root, files=None):
        self.root = root
        self.given = files
        self.paths = sorted(files) if files is not None else self.listed()

    def listed(self):
        if shutil.which('git'):
            done = subprocess.run(['git', '-C', self.root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                                  capture_output=True, text=True, check=False)
            if done.returncode == 0:
                names = {name for name in done.stdout.split('\0') if name}
                return sorted(name for name in names if os.path.isfile(os.path.join(self.root, name)))
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in ('.git', '__pycache__') and not name.startswith('build')]
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in files]
        return sorted(found)

    def under(self, tops, suffixes):
        return [path for path in self.paths if path.split('/')[0] in tops and path.endswith(suffixes)]

    def code(self, suffixes=('.c', '.h')):
        return self.under(CODE, suffixes)

    def text(self, path):
        if self.given is not None:
            return self.given.get(path, '')
        try:
            with open(os.path.join(self.root, path), encoding='utf-8', errors='replace') as file:
                return file.read()
        except OSError:
            return ''

    def has(self, path):
        return path in self.paths


def blank(match):
    """A comment or string with its characters made blank and its lines kept; strings keep their quotes."""
    text = match.group(0)
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[0]
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    """The same text, comments and strings' insides blanked: line numbers and columns stay."""
    return TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


# A definition's or declaration's name at the start of a line: types, stars, the name, an opening bracket.
SIGNATURE = re.compile(r'^(?!(?:return|else|if|while|for|switch|typedef|case|goto|do)\b)[A-Za-z_][\w\s*]*?[\s*]([A-Za-z_]\w*)\s*\(',
                       re.MULTILINE)

Function = namedtuple('Function', 'name line first last static')


def functions(text):
    """The functions that a .c file defines. The house style is relied on: the braces of a body stand alone in column 0."""
    code = without_comments(text)
    lines = code.split('\n')
    found, begin = [], None
    for number, line in enumerate(lines):
        if line.rstrip() == '{':
            begin = number
        elif line.startswith('}') and begin is not None:
            head = begin
            while head > 0 and lines[head - 1].strip() and not lines[head - 1].startswith(('}', '#')) and \
                    not lines[head - 1].rstrip().endswith(';'):
                head -= 1
            match = SIGNATURE.search('\n'.join(lines[head:begin]))
            if match:
                static = bool(re.match(r'\s*(static|typedef)\b', '\n'.join(lines[head:begin])))
                found.append(Function(match.group(1), head + 1, begin + 2, number, static))
            begin = None
    return found


def run_cases(check, cases):
    """The self-test: each case's tree is found fault with as expected. Return: lines that say what went wrong."""
    wrong = []
    for number, (files, expected) in enumerate(cases, 1):
        texts = [f'{finding.path}:{finding.line}: {finding.text}' for finding in check(Tree('/nonexistent', files))]
        if expected is None and texts:
            wrong.append(f'case {number} should pass: {texts[0]}')
        elif expected is not None and not any(expected in text for text in texts):
            wrong.append(f'case {number} should be found fault with ({expected!r}): {texts}')
    if not any(expected is not None for _, expected in cases):
        wrong.append('no case shows that this lint can fail')
    return wrong


def main(purpose, check, cases):
    name = os.path.basename(sys.argv[0])
    if '--self-test' in sys.argv[1:]:
        wrong = run_cases(check, cases)
        print('\n'.join(wrong) if wrong else f'{name}: {len(cases)} cases')
        sys.exit(1 if wrong else 0)
    findings = sorted(set(check(Tree(ROOT))))
    for finding in findings:
        print(f'{finding.path}:{finding.line}: {finding.text}')
    if findings:
        print(f'{name}: {len(findings)} findings. {purpose.strip().splitlines()[0]}')
    sys.exit(1 if findings else 0)
