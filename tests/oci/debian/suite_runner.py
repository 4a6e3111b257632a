"""Runs one module of Python's test suite and writes a line of JSON for each test: suite_runner.py MODULE FILE SECONDS [TEST…]"""
import faulthandler
import json
import os
import sys
import unittest

from test import support


class Verdicts(unittest.TestResult):
    """ok, fail or skip of each test, written at its end, so that a death later loses none."""

    def __init__(self, path):
        super().__init__()
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.failed, self.why, self.skip = False, '', False
        self.owner = os.getpid()

    def write(self, name, verdict, why):
        # A child that a test forked and that ran on into here is not the suite.
        if os.getpid() == self.owner:
            os.write(self.file, (json.dumps({'test': name, 'verdict': verdict, 'why': why[-1500:]}) + '\n').encode())

    def startTest(self, test):
        super().startTest(test)
        self.failed, self.why, self.skip = False, '', False
        self.write(test.id(), 'begun', '')

    def stopTest(self, test):
        super().stopTest(test)
        self.write(test.id(), 'fail' if self.failed else 'skip' if self.skip else 'ok', self.why)

    def found(self, test, error):
        self.failed, self.why = True, self._exc_info_to_string(error, test)
        if not isinstance(test, unittest.TestCase):
            self.write(test.id(), 'fail', self.why)

    def addError(self, test, err):
        self.found(test, err)

    def addFailure(self, test, err):
        self.found(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.found(test, err)

    def addSkip(self, test, reason):
        self.skip, self.why = True, reason
        if not isinstance(test, unittest.TestCase):
            self.write(test.id(), 'skip', reason)

    def addUnexpectedSuccess(self, test):
        self.failed, self.why = True, 'unexpected success'


def main():
    module, path, seconds, names = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    support.use_resources = []
    os.makedirs('/tmp/suite', exist_ok=True)
    os.chdir('/tmp/suite')
    faulthandler.dump_traceback_later(seconds, exit=True)
    verdicts = Verdicts(path)
    try:
        tests = unittest.defaultTestLoader.loadTestsFromNames(names or [f'test.{module}'])
    except unittest.SkipTest as reason:
        verdicts.write(f'test.{module}', 'skip', str(reason))
        return
    tests.run(verdicts)
    verdicts.write('end', 'ok', '')


if __name__ == '__main__':
    main()
