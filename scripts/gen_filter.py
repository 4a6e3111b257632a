#!/usr/bin/env python3
"""Collects the host-call declarations of the sources into one seccomp list per process, and makes a filter of each.

A declaration is a comment that stands directly above the code that makes the call:

    /* host-calls(sentry gofer): read write ioctl(1=FIONREAD|TCGETS) — stdio, control */

scripts/README.md has the grammar. For each process there is a reviewed file, `seccomp.list`; a call that is declared
but not in it, or in it but no longer declared, is a mismatch, shown as a diff.

gen_filter.py check  PROCESS…           compares declarations and reviewed files; exits 1 and prints diffs on mismatch
gen_filter.py update PROCESS…           rewrites the reviewed files (then read the diff: that is the review)
gen_filter.py print  PROCESS            prints the list as it is declared
gen_filter.py rules  PROCESS OUT.c [--depfile D] [--sanitizer] [--no-review]
                                        writes the C source of the rules, for cmd/filter/export_bpf.c
--root DIR goes first and names another tree (for tests).
"""
import argparse
import difflib
import os
import re
import sys
from collections import namedtuple

SCANNED = ('sentry', 'platform', 'fs', 'netstack', 'cmd')
# process: the folder that has its reviewed list.
PROCESSES = {'sentry': 'cmd/sandbox', 'gofer': 'cmd/gofer', 'observer': 'cmd/observer'}

HEAD = re.compile(r'/\*\s*host-calls\b(.*?)\*/', re.DOTALL)
BODY = re.compile(r'^\(([^)]*)\):\s*(.*?)\s+(?:—|--)\s+(.+)$', re.DOTALL)
CALL = re.compile(r'([a-z_][a-z0-9_]*)(\(([^()]*)\))?')
CONDITION = re.compile(r'^([0-5])(?:&([A-Za-z0-9_+]+))?=([A-Za-z0-9_+|]+)$')
VALUE = re.compile(r'^(0x[0-9a-fA-F]+|[0-9]+|[A-Za-z_][A-Za-z0-9_]*)$')

Rule = namedtuple('Rule', 'name conditions')


class Error(Exception):
    """A declaration or a list that cannot be understood: says where and what."""


def parse_conditions(text, where):
    """'1=A|B,2&M=0' as a canonical string; checks each part."""
    parts = []
    for part in text.split(','):
        part = re.sub(r'\s', '', part)
        match = CONDITION.match(part)
        if not match:
            raise Error(f"{where}: condition '{part}' is not ARG=VALUE or ARG&MASK=VALUE")
        mask, values = match.group(2), match.group(3).split('|')
        for value in values + ([mask] if mask else []):
            if not all(VALUE.match(bit) for bit in value.split('+')):
                raise Error(f"{where}: '{value}' is not a number or a constant")
        parts.append(f"{match.group(1)}{'&' + mask if mask else ''}={'|'.join(sorted(set(values)))}")
    return ','.join(sorted(parts))


def parse_calls(text, where):
    """The Rules of 'read write ioctl(1=X)'."""
    rules, rest = [], text
    while rest.strip():
        rest = rest.strip()
        match = CALL.match(rest)
        if not match:
            raise Error(f"{where}: cannot read '{rest.split()[0]}' as a system call")
        conditions = parse_conditions(match.group(3), where) if match.group(2) else ''
        rules.append(Rule(match.group(1), conditions))
        rest = rest[match.end():]
        if rest and not rest[0].isspace():
            raise Error(f"{where}: cannot read '{rest.split()[0]}' after {match.group(1)}")
    if not rules:
        raise Error(f'{where}: names no system call')
    return rules


def declarations(path, text):
    """Yields (processes, rules, reason) of one source's comments."""
    for comment in HEAD.finditer(text):
        where = f'{path}:{text.count(chr(10), 0, comment.start()) + 1}'
        body = re.sub(r'\n\s*\*?\s*', ' ', comment.group(1)).strip()
        match = BODY.match(body)
        if not match:
            raise Error(f"{where}: a declaration is 'host-calls(PROCESS…): CALL… — reason'")
        processes = match.group(1).replace(',', ' ').split()
        unknown = [name for name in processes if name not in PROCESSES]
        if unknown or not processes:
            raise Error(f"{where}: unknown process '{' '.join(unknown)}': use {', '.join(PROCESSES)}")
        yield processes, parse_calls(match.group(2), where), ' '.join(match.group(3).split())


def sources(root):
    """Yields the sources' paths relative to the root, and (with a trailing /) the folders that were looked into."""
    for top in SCANNED:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders.sort()
            yield os.path.relpath(folder, root) + '/'
            for name in sorted(files):
                if name.endswith(('.c', '.h', '.S')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def collect(root, process):
    """Return: ({Rule: [reason…]}, looked-at paths) of one process."""
    rules, seen = {}, []
    for path in sources(root):
        seen.append(path)
        if path.endswith('/'):
            continue
        with open(os.path.join(root, path), encoding='utf-8') as source:
            text = source.read()
        if 'host-calls' not in text:
            continue
        for processes, found, reason in declarations(path, text):
            if process not in processes:
                continue
            for rule in found:
                reasons = rules.setdefault(rule, [])
                if reason not in reasons:
                    reasons.append(reason)
    return rules, seen


def format_list(rules):
    """The reviewed file's lines: CALL or CALL(CONDITIONS), tab, reasons."""
    lines = []
    for rule in sorted(rules):
        call = rule.name + (f'({rule.conditions})' if rule.conditions else '')
        lines.append(f'{call}\t{"; ".join(sorted(rules[rule]))}\n')
    return lines


def read_list(path):
    """The Rules of a reviewed file; its comment lines (#) are left out."""
    rules = {}
    with open(path, encoding='utf-8') as listing:
        for number, line in enumerate(listing, 1):
            line = line.rstrip('\n')
            if not line or line.startswith('#'):
                continue
            call, tab, reason = line.partition('\t')
            if not tab or not reason.strip():
                raise Error(f'{path}:{number}: a line is CALL, a tab, and the reason')
            for rule in parse_calls(call, f'{path}:{number}'):
                rules[rule] = [reason.strip()]
    return rules


def moot(rules):
    """Conditional rules of calls that are also allowed whole."""
    whole = {rule.name for rule in rules if not rule.conditions}
    return [rule for rule in sorted(rules) if rule.conditions and rule.name in whole]


def list_path(root, process):
    return os.path.join(root, PROCESSES[process], 'seccomp.list')


def list_header(process):
    return [f'# Host system calls of the {process}: call and conditions, tab, reason. Made from the host-calls comments\n',
            '# by `scripts/gen_filter.py update`, reviewed line by line; any other call kills the process.\n']


def mismatch(root, process, rules):
    """The diff of reviewed file against declarations, '' if they agree."""
    path = list_path(root, process)
    old = []
    if os.path.exists(path):
        with open(path, encoding='utf-8') as listing:
            old = [line for line in listing if not line.startswith('#')]
    name = os.path.relpath(path, root)
    return ''.join(difflib.unified_diff(old, format_list(rules), f'{name} (reviewed)', f'{name} (declared)', n=0))


def c_value(text):
    return '(' + '|'.join(f'(uint64_t)({bit})' for bit in text.split('+')) + ')'


def alternatives(conditions):
    """All combinations of values: a list of lists of (arg, mask or None, value)."""
    combined = [[]]
    for part in filter(None, conditions.split(',')):
        arg, mask, values = CONDITION.match(part).groups()
        combined = [head + [(arg, mask, value)] for head in combined for value in values.split('|')]
    return combined


def rules_source(process, rules):
    """C source of a table of rules for cmd/filter/export_bpf.c."""
    whole = {rule.name for rule in rules if not rule.conditions}
    out = [f'/* Made by scripts/gen_filter.py from the declarations of the {process}. */\n',
           '#include "cmd/filter/export_bpf.h"\n\n',
           f'const char filter_name[] = "{process}";\n\nconst struct filter_rule filter_rules[] = {{\n']
    for rule in sorted(rules):
        if rule.conditions and rule.name in whole:
            continue
        for row in alternatives(rule.conditions):
            # A compare of the whole register may use what int arguments leave undefined; masks are the declaration's.
            cells = [f'{{{arg}, {c_value(mask) if mask else "~UINT64_C(0)"}, {c_value(value)}}}' for arg, mask, value in row]
            out.append(f'    {{"{rule.name}", {len(row)}, {{{", ".join(cells)}}}}},\n')
    out.append('};\nconst unsigned filter_rule_count = sizeof filter_rules / sizeof filter_rules[0];\n')
    return ''.join(out)


def command_rules(root, args):
    rules, seen = collect(root, args.process)
    path = list_path(root, args.process)
    diff = mismatch(root, args.process, rules)
    if diff and not args.no_review:
        sys.stderr.write(diff)
        raise Error(f'the host calls that the {args.process} declares are not the reviewed ones: read the diff, and if each '
                    f'change is right, run scripts/gen_filter.py update {args.process}')
    extra = path + '.sanitizer'
    if args.sanitizer and os.path.exists(extra):
        rules.update(read_list(extra))
    with open(args.out, 'w', encoding='utf-8') as out:
        out.write(rules_source(args.process, rules))
    if args.depfile:
        deps = [os.path.join(root, name.rstrip('/')) for name in seen]
        deps += [name for name in (path, extra) if os.path.exists(name)]
        with open(args.depfile, 'w', encoding='utf-8') as out:
            out.write(f'{args.out}: {" ".join(deps)}\n')


def command_check(root, processes, update):
    wrong = 0
    for process in processes:
        rules, _ = collect(root, process)
        path = list_path(root, process)
        for rule in moot(rules):
            print(f'{process}: {rule.name} is declared whole and also with conditions ({rule.conditions}): one of them is wrong')
            wrong = 1
        if update:
            if rules or os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'w', encoding='utf-8') as out:
                    out.writelines(list_header(process) + format_list(rules))
            continue
        diff = mismatch(root, process, rules)
        if diff:
            sys.stdout.write(diff)
            wrong = 1
    return wrong


def main():
    parser = argparse.ArgumentParser(description='host-call declarations to seccomp lists and rules')
    parser.add_argument('--root', default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    verbs = parser.add_subparsers(dest='verb', required=True)
    for verb in ('check', 'update', 'print'):
        verbs.add_parser(verb).add_argument('process', nargs='*', choices=[*PROCESSES, []], default=[])
    rules = verbs.add_parser('rules')
    rules.add_argument('process', choices=PROCESSES)
    rules.add_argument('out')
    rules.add_argument('--depfile')
    rules.add_argument('--sanitizer', action='store_true')
    rules.add_argument('--no-review', action='store_true')
    args = parser.parse_args()
    try:
        if args.verb == 'rules':
            command_rules(args.root, args)
        elif args.verb == 'print':
            for process in args.process or PROCESSES:
                sys.stdout.writelines(format_list(collect(args.root, process)[0]))
        else:
            return command_check(args.root, args.process or list(PROCESSES), args.verb == 'update')
    except Error as error:
        print(f'gen_filter: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
