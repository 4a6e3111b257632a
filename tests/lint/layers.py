#!/usr/bin/env python3
"""A file includes only its own layer and those below (layers.tsv); a _priv.h header only its own folder's files include."""
import os
import re

import lint

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
TABLE = 'tests/lint/layers.tsv'


def layers(tree):
    rows = [line.split('\t') for line in tree.text(TABLE).splitlines() if line and not line.startswith('#')]
    return sorted(((prefix, int(layer)) for prefix, layer in rows), key=lambda row: -len(row[0]))


def layer_of(table, path):
    return next((layer for prefix, layer in table if path.startswith(prefix)), None)


def check(tree):
    table = layers(tree)
    for path in tree.code(('.c', '.h', '.S', '.def')):
        own = layer_of(table, path)
        if own is None:
            yield lint.Finding(path, 1, 'is in no layer: add its folder to ' + TABLE)
            continue
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            line, name = lint.line_of(text, match.start()), match.group(1)
            other = layer_of(table, name)
            if other is None:
                # A name without a folder is a made header of the build's, unless such a file stands beside this one.
                beside = os.path.join(os.path.dirname(path), name)
                if name.split('/')[0] not in lint.CODE and ('/' in name or tree.has(beside)):
                    yield lint.Finding(path, line, f'"{name}" is not written from the root of the repository')
                continue
            if other > own:
                yield lint.Finding(path, line, f'layer {own} includes "{name}" of layer {other}')
            if name.endswith('_priv.h') and os.path.dirname(name) != os.path.dirname(path):
                yield lint.Finding(path, line, f'"{name}" is private to {os.path.dirname(name)}')


SMALL = {TABLE: '# c\nsentry/base/\t0\nplatform/\t1\nfs/\t4\nfs/proc/\t5\n'}
CASES = [
    ({**SMALL, 'platform/a.c': '#include "sentry/base/b.h"\n#include <stdio.h>\n#include "platform/a.h"\n'}, None),
    ({**SMALL, 'sentry/base/b.c': '\n#include "platform/a.h"\n'}, 'sentry/base/b.c:2: layer 0 includes "platform/a.h" of layer 1'),
    ({**SMALL, 'fs/tmpfs/t.c': '#include "fs/proc/p.h"\n'}, 'layer 4 includes'),
    ({**SMALL, 'fs/proc/p.c': '#include "fs/tmpfs/t.h"\n'}, None),
    ({**SMALL, 'fs/proc/p.c': '#include "p.h"\n', 'fs/proc/p.h': ''}, 'not written from the root'),
    ({**SMALL, 'fs/proc/p.c': '#include "../p.h"\n'}, 'not written from the root'),
    ({**SMALL, 'fs/proc/p.c': '#include "made_by_the_build.h"\n'}, None),
    ({**SMALL, 'fs/proc/p.c': '#include "fs/tmpfs/t_priv.h"\n'}, 'is private to fs/tmpfs'),
    ({**SMALL, 'netstack/n.c': ''}, 'is in no layer'),
]

if __name__ == '__main__':
    lint.main(__doc__, check, CASES)
