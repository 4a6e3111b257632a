#!/usr/bin/env python3
"""The reviewed seccomp lists are what the sources declare, and no call is allowed both whole and with conditions."""
import os
import sys

import lint

sys.path.insert(0, os.path.join(lint.ROOT, 'scripts'))
import gen_filter


def rules_of(tree, process):
    rules = {}
    for path in tree.under(gen_filter.SCANNED, ('.c', '.h', '.S')):
        text = tree.text(path)
        if 'host-calls' not in text:
            continue
        for processes, found, reason in gen_filter.declarations(path, text):
            for rule in found if process in processes else []:
                rules.setdefault(rule, [])
                if reason not in rules[rule]:
                    rules[rule].append(reason)
    return rules


def check(tree):
    for process, folder in gen_filter.PROCESSES.items():
        path = f'{folder}/seccomp.list'
        try:
            rules = rules_of(tree, process)
        except gen_filter.Error as error:
            yield lint.Finding(str(error), 0, 'cannot be read')
            return
        reviewed = {line for line in tree.text(path).splitlines(True) if not line.startswith('#')}
        declared = set(gen_filter.format_list(rules))
        for line in sorted(declared - reviewed):
            yield lint.Finding(path, 1, f'declared but not reviewed: {line.rstrip()}')
        for line in sorted(reviewed - declared):
            yield lint.Finding(path, 1, f'reviewed but no longer declared so: {line.rstrip()}')
        for rule in gen_filter.moot(rules):
            yield lint.Finding(path, 1, f'{rule.name} is allowed whole, and also with conditions ({rule.conditions})')


SOURCE = {'sentry/base/a.c': '/* host-calls(sentry): read — stdio */\n'}
CASES = [
    ({**SOURCE, 'cmd/sandbox/seccomp.list': '# head\nread\tstdio\n'}, None),
    ({**SOURCE}, 'declared but not reviewed: read'),
    ({**SOURCE, 'cmd/sandbox/seccomp.list': 'read\tstdio\nwrite\tstdio\n'}, 'no longer declared so: write'),
    ({'sentry/base/a.c': '/* host-calls(sentry): ioctl ioctl(1=2) — x */\n',
      'cmd/sandbox/seccomp.list': 'ioctl\tx\nioctl(1=2)\tx\n'}, 'allowed whole, and also'),
    ({'sentry/base/a.c': '/* host-calls(sentry) read */\n'}, 'cannot be read'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
