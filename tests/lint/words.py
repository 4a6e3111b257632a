#!/usr/bin/env python3
"""Texts speak about the project alone, a TODO names a test that exists, and nothing is left over from a merge or an editor."""
import re

import lint

TEXTS = ('.c', '.h', '.S', '.def', '.md', '.py', '.sh', '.build', '.tsv', '.list', '.txt', '/run', '/test', '/quickstart', '/build', '/fresh')
TODO = re.compile(r'\bTODO\b(?:\((\w[\w/.-]*)\)|:?\s+test\s+(\w[\w/.-]*))?')
# Written with a bracket, so that this file does not find fault with itself.
WORDS = [
    (re.compile(r'\b(?:FIXM[E]|XX[X]|HAC[K])\b'), 'say what is wrong and which test shows it (a TO' + 'DO with its name)'),
    (re.compile(r'<<<<<<[<] |>>>>>>[>] '), 'a merge was not finished'),
    (re.compile(r'(?<![\w.])/(?:home|Users|work|workspace|builds)/\w'), 'a path of one machine'),
    (re.compile(r'\bissue[s]? (?:#|no\.? ?|show )?\d', re.I), 'documents say what is true now, without numbers of issues'),
    (re.compile(r'\b(?:pypi|npmj[s]|crates|deb\.debia[n]|proxy\.golan[g]|maven)\.(?:org|io|com)\b', re.I), 'the host of a package registry'),
    (re.compile(r'\b(?:language mode[l]|chatbo[t]|AI assistan[t]|coding agen[t]|sub-?agen[t])', re.I), 'not about the project'),
]


def check(tree):
    names = None
    for path in tree.paths:
        if not path.endswith(TEXTS):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for pattern, why in WORDS:
                if pattern.search(line):
                    yield lint.Finding(path, number, f'{pattern.search(line).group(0)!r}: {why}')
            if path.startswith(('tests/lint/', 'scripts/collect', 'tests/unit/scripts/', 'tests/oci/')) or path.endswith('.md'):
                continue
            for match in TODO.finditer(line):
                if names is None:
                    names = '\n'.join(tree.text(name) for name in tree.under(('tests',), ('.c', '.py', '.build')))
                test = match.group(1) or match.group(2)
                if not test or not re.search(r'\b' + re.escape(test.split('/')[-1]) + r'\b', names):
                    yield lint.Finding(path, number, f'TODO names no test that exists: TODO(test_name)')


CASES = [
    ({'fs/a.c': '/* TODO(mremap_shm) */\n', 'tests/guest/m.c': 'TEST(mremap_shm, "mremap")\n'}, None),
    ({'fs/a.c': '/* TODO: finish */\n'}, 'TODO names no test'),
    ({'fs/a.c': '/* TODO(nowhere) */\n', 'tests/guest/m.c': ''}, 'TODO names no test'),
    ({'fs/a.c': '/* FIX' + 'ME */\n'}, 'say what is wrong'),
    ({'fs/a.c': 'mkstemp("/tmp/aXXXXXX"); session_leader(); /* a session of setsid() */\n'}, None),
    ({'README.md': 'see /ho' + 'me/joe/x\n'}, 'a path of one machine'),
    ({'README.md': 'as iss' + 'ue 3 says\n'}, 'without numbers'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
