#!/usr/bin/env python3
"""The result collector: what must count as passed, failed and skipped, above all what must never count as passed."""
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../scripts'))
import collect


def statuses(stdout, returncode=0, result='OK', stderr=''):
    entry = {'name': 't', 'stdout': stdout, 'stderr': stderr, 'returncode': returncode, 'result': result}
    return [case.status for case in collect.cases_of(entry)]


class Tap(unittest.TestCase):
    def test_points_count_singly(self):
        self.assertEqual(statuses('1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no kvm\n', 1),
                         ['passed', 'failed', 'skipped'])

    def test_criterion_points_have_no_numbers(self):
        self.assertEqual(statuses('TAP version 13\n1..2\nok - a::b  (0.00s)\nok - a::c  (0.00s)\n'),
                         ['passed', 'passed'])

    def test_short_plan_is_a_failure(self):
        self.assertEqual(statuses('1..3\nok 1 - a\n'), ['passed', 'failed'])

    def test_death_after_the_points_is_a_failure(self):
        self.assertEqual(statuses('1..1\nok 1 - a\n', -11), ['passed', 'failed'])

    def test_bail_out(self):
        self.assertEqual(statuses('1..2\nok 1 - a\nBail out! no memory\n', 1), ['passed', 'failed'])

    def test_plan_without_points(self):
        self.assertEqual(statuses('1..2\n'), ['failed'])

    def test_whole_program_skipped_with_reason(self):
        self.assertEqual(statuses('1..0 # SKIP not root\n', 0), ['skipped'])

    def test_skip_without_reason_is_a_failure(self):
        self.assertEqual(statuses('1..0\n'), ['failed'])
        self.assertEqual(statuses('1..1\nok 1 - a # SKIP\n'), ['failed'])

    def test_todo_that_fails_is_skipped(self):
        self.assertEqual(statuses('1..1\nnot ok 1 - a # TODO mremap of shm\n'), ['skipped'])

    def test_names_and_reasons_are_kept(self):
        entry = {'name': 't', 'stdout': '1..1\nok 1 - a b # SKIP no kvm\n', 'returncode': 0, 'result': 'OK'}
        case = collect.cases_of(entry)[0]
        self.assertEqual((case.name, case.detail), ('t: a b', 'no kvm'))


    def details(self, text):
        entry = {'name': 'p:unit / t', 'stdout': text, 'returncode': 1, 'result': 'FAIL'}
        return [(case.name, case.detail) for case in collect.cases_of(entry)]

    def test_comments_after_a_failure_are_its_detail(self):
        self.assertEqual(self.details('1..3\nnot ok 1 - a\n# why a\nnot ok 2 - b\n# why b\nok 3 - c\n'),
                         [('t: a', '# why a'), ('t: b', '# why b'), ('t: c', '')])

    def test_comments_before_a_failure_are_its_detail(self):
        self.assertEqual(self.details('# why a\nnot ok 1 - a\n# why b\nnot ok 2 - b\nok 3 - c\n1..3\n'),
                         [('t: a', '# why a'), ('t: b', '# why b'), ('t: c', '')])


class Plain(unittest.TestCase):
    def test_exit_codes(self):
        self.assertEqual(statuses('fine\n', 0), ['passed'])
        self.assertEqual(statuses('broken\n', 1), ['failed'])
        self.assertEqual(statuses('', 77, stderr='no /dev/kvm\n'), ['skipped'])
        self.assertEqual(statuses('', 77), ['failed'])

    def test_time_limit(self):
        self.assertEqual(statuses('', 0, 'TIMEOUT'), ['failed'])
        self.assertEqual(statuses('1..2\nok 1 - a\n', -15, 'TIMEOUT'), ['passed', 'failed'])


class Report(unittest.TestCase):
    def test_last_line_and_status(self):
        tally, out = collect.Tally(), io.StringIO()
        tally.add('debug', collect.Case('a', 'passed', ''))
        tally.add('debug', collect.Case('b', 'skipped', 'no kvm'))
        self.assertEqual(tally.finish(out), 0)
        self.assertEqual(out.getvalue().splitlines()[-1], '1 passed, 0 failed, 1 skipped')
        self.assertIn('no kvm', out.getvalue())
        tally.add('debug', collect.Case('c', 'failed', 'why'))
        self.assertEqual(tally.finish(io.StringIO()), 1)

    def test_missing_log_is_a_failure(self):
        tally = collect.Tally()
        tally.add_meson_log('debug', '/nonexistent/testlog.json')
        self.assertEqual(tally.count('failed'), 1)


if __name__ == '__main__':
    unittest.main()
