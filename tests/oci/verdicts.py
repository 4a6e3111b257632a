"""What the drivers of other projects' suites share: verdicts of the sandbox held against the host's, and the list of exceptions.

Verdicts are {test: (verdict, why)}. A list of exceptions has lines `test TAB the host mechanism that keeps it from agreeing`;
a listed test that agrees fails its point, so does one that does not exist, and so do more than two of a hundred in all.
"""
import harness


def read_exceptions(path):
    """{test: reason} of a reviewed list."""
    rows = [line.split('\t', 1) for line in harness.read_text(path).splitlines() if line and not line.startswith('#')]
    return {test: reason for test, reason in rows}


def differing(host, box):
    return {test for test in host if box.get(test, ('missing', ''))[0] != host[test][0]} | {test for test in box if test not in host}


class Comparison:
    """A whole run: its list of exceptions, how many tests were compared, how many exceptions belong to them."""

    def __init__(self, path):
        self.listed = read_exceptions(path)
        self.compared, self.used = 0, 0

    def agree(self, t, prefix, host, box, again, said):
        """The verdicts of the part of a suite whose tests begin with prefix agree, but for the listed exceptions.

        again(names) runs those that differ, or are missing on one side, once more, alone: some fail now and then on the host too.
        Return of again: (host's verdicts, sandbox's verdicts). said: what to show if a test of the host is missing.
        """
        lines = differing(host, box)
        alone = sorted(test for test in lines if test not in self.listed)
        if alone:
            more_host, more_box = again(alone)
            host, box = {**host, **more_host}, {**box, **more_box}
            lines = differing(host, box)
        listed = {test for test in self.listed if test.startswith(prefix)}
        self.compared += len(host)
        self.used += len(listed)
        wrong = [f'{test}: host {host.get(test, ("missing",))[0]}, sandbox {box.get(test, ("missing",))[0]}\n'
                 + box.get(test, ('', ''))[1] for test in sorted(lines - listed)]
        wrong += [f'{test}: agrees with the host: take it off the list' for test in sorted(listed) if test in host and test not in lines]
        wrong += [f'{test}: listed, but there is no such test' for test in sorted(listed) if test not in host]
        ending = f' (it did not end: {said})' if any(test not in box for test in host) else ''
        t.true(not wrong, f'{len(wrong)} of {len(host)} tests{ending}:\n' + '\n'.join(wrong))

    def few_exceptions(self, t):
        if not self.compared:
            raise harness.Skip('no part of the suite ran')
        print(f'# {self.compared} tests compared, {self.used} exceptions')
        t.true(self.used * 50 <= self.compared, f'{self.used} exceptions of {self.compared} tests')
