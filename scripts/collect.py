#!/usr/bin/env python3
"""Merges the results of meson tests, TAP programs among them, into counts of passed, failed and skipped.

The rules, so that a green line means what it says:
- each TAP point counts by itself; `# SKIP reason` is skipped, `# TODO` that fails is skipped with its text;
- a program that exits otherwise than its points say, prints fewer or more points than its plan, or prints no point at
  all, adds one failure of its own; killed by the time limit likewise;
- exit status 77 is skipped, with the last line it printed as the reason; a skip without a reason is a failure;
- nothing is ever counted as passed that did not run.

collect.py TESTLOG.json… prints the report and the line `N passed, N failed, N skipped`; exits 1 iff something failed.
"""
import json
import re
import sys
from dataclasses import dataclass

POINT = re.compile(r'^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)\s*(?:#\s*SKIP\S*\s*(.*))?$', re.IGNORECASE)
DIRECTIVE = re.compile(r'(?<!\\)#\s*(SKIP|TODO)\S*\s*(.*)$', re.IGNORECASE)
SUITE = re.compile(r'^\w+:[\w+-]+ / ')  # meson's 'project:suite / ' before a name
DURATION = re.compile(r'\s*\(\d+(\.\d+)?s\)\s*$')


@dataclass
class Case:
    """One counted result: name, 'passed' | 'failed' | 'skipped', and what to tell a person about it."""
    name: str
    status: str
    detail: str


def last_line(text):
    lines = [line.strip() for line in (text or '').splitlines() if line.strip()]
    return lines[-1] if lines else ''


def looks_like_tap(text):
    return any(PLAN.match(line) or re.match(r'^(not )?ok\b', line) for line in text.splitlines())


def explain_last(cases, pending):
    """Gives the comments to the last point, if that failed and said nothing before it."""
    if cases and cases[-1].status == 'failed' and not cases[-1].detail:
        cases[-1].detail = '\n'.join(pending[:40])
        pending.clear()


def parse_tap(name, text, returncode):
    """The cases of one TAP program's output."""
    cases, plan, bail = [], None, None
    pending = []  # comments since the last point: of that point if it failed without any, else of the next
    for line in text.splitlines():
        point = POINT.match(line)
        planned = PLAN.match(line)
        if line.startswith('Bail out!'):
            bail = line[len('Bail out!'):].strip() or 'bailed out'
        elif planned:
            plan = int(planned.group(1))
            if plan == 0:
                reason = planned.group(2) or ''
                status = 'skipped' if reason else 'failed'
                cases.append(Case(name, status, reason or 'skipped all of it and gave no reason'))
                plan = None
        elif point:
            title = point.group(3)
            directive = DIRECTIVE.search(title)
            title = DURATION.sub('', DIRECTIVE.sub('', title)).strip() or f'#{len(cases) + 1}'
            status, detail = ('failed' if point.group(1) else 'passed'), ''
            if directive and directive.group(1).upper() == 'SKIP':
                detail = DURATION.sub('', directive.group(2)).strip()
                status = 'skipped' if detail else 'failed'
                detail = detail or 'skipped and gave no reason'
            elif directive and status == 'failed':
                status, detail = 'skipped', 'to do: ' + directive.group(2).strip()
            explain_last(cases, pending)
            if status == 'failed' and not detail:
                detail = '\n'.join(pending[-40:])
            cases.append(Case(f'{name}: {title}', status, detail))
            pending = []
        elif line.startswith(('#', ' ')):
            pending.append(line)
    explain_last(cases, pending)
    failed = any(case.status == 'failed' for case in cases)
    if bail is not None:
        cases.append(Case(name, 'failed', 'bailed out: ' + bail))
    elif not cases:
        cases.append(Case(name, 'failed', 'printed no test point'))
    elif plan is not None and plan != len(cases):
        cases.append(Case(name, 'failed', f'planned {plan} points, printed {len(cases)}'))
    elif returncode not in (0, 77) and not failed:
        cases.append(Case(name, 'failed', f'its points passed, but it ended with status {returncode}'))
    return cases


def cases_of(entry):
    """The cases of one entry of meson's testlog.json."""
    name, code = SUITE.sub('', entry['name']), entry.get('returncode', 0)
    out, err = entry.get('stdout') or '', entry.get('stderr') or ''
    if entry.get('result') in ('TIMEOUT', 'INTERRUPT'):
        tail = '\n'.join((out + err).splitlines()[-15:])
        points = [case for case in parse_tap(name, out, 0) if case.name != name] if looks_like_tap(out) else []
        return points + [Case(name, 'failed', f'ended by its time limit\n{tail}')]
    if looks_like_tap(out):
        return parse_tap(name, out, code)
    if code == 77:
        reason = last_line(err) or last_line(out)
        return [Case(name, 'skipped' if reason else 'failed', reason or 'skipped and gave no reason')]
    if code == 0:
        return [Case(name, 'passed', '')]
    return [Case(name, 'failed', '\n'.join((out + err).splitlines()[-40:]) or f'ended with status {code}')]


class Tally:
    """Counts, and what to print at the end."""

    def __init__(self):
        self.cases = []

    def add(self, preset, case):
        self.cases.append((preset, case))

    def add_meson_log(self, preset, path):
        try:
            with open(path, encoding='utf-8', errors='replace') as log:
                entries = [json.loads(line) for line in log if line.strip()]
        except (OSError, ValueError) as error:
            self.add(preset, Case('results', 'failed', f'meson left no readable results: {error}'))
            return
        if not entries:
            self.add(preset, Case('results', 'failed', 'meson ran no test'))
        for entry in entries:
            for case in cases_of(entry):
                self.add(preset, case)

    def count(self, status):
        return sum(1 for _, case in self.cases if case.status == status)

    def finish(self, out=sys.stdout):
        """Prints the report. Return: the exit status."""
        reasons = {}
        for preset, case in self.cases:
            if case.status == 'skipped':
                reasons.setdefault(case.detail, []).append(f'{preset}/{case.name}')
        for reason, names in sorted(reasons.items()):
            more = f' and {len(names) - 3} more' if len(names) > 3 else ''
            print(f'skipped: {", ".join(names[:3])}{more}: {reason}', file=out)
        for preset, case in self.cases:
            if case.status == 'failed':
                print(f'FAILED: {preset}/{case.name}', file=out)
                for line in case.detail.splitlines():
                    print(f'    {line}', file=out)
        passed, failed, skipped = (self.count(s) for s in ('passed', 'failed', 'skipped'))
        print(f'{passed} passed, {failed} failed, {skipped} skipped', file=out)
        return 1 if failed else 0


if __name__ == '__main__':
    tally = Tally()
    for number, argument in enumerate(sys.argv[1:], 1):
        tally.add_meson_log(f'log{number}', argument)
    sys.exit(tally.finish())
