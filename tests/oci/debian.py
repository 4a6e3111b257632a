#!/usr/bin/env python3
"""Debian 12 root file systems for the tests, made once by debootstrap and kept in the cache folder.

debian.tree('tools') returns the path of a complete tree, making it first if it is not there; it is never written to
afterwards: scratch() gives a writable copy of it (an overlay, or a real copy where there are no overlays). By hand:

    tests/oci/debian.py path tools    makes it if needed and prints where it is

A tree is keyed by its package list, so a changed list makes a new one; a lock keeps two makers apart.
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

CACHE = os.environ.get('RUNSC_TEST_CACHE', '/var/cache/runsc-tests')
RELEASE = 'bookworm'
FORMAT = 1  # what makes a tree besides its packages: raise it when install() changes

# name: (the tree it is built on, packages on top of that).
TREES = {
    'base': (None, []),
    # What the default run needs; it has to be made within a minute or two.
    'tools': ('base', '''bash bc bsdextrautils bzip2 ca-certificates coreutils file findutils g++ gawk gcc git grep gzip inotify-tools jq
        less libc6-dev lsof make perl procps psmisc python3 rsync sed sqlite3 strace tar tmux unzip util-linux uuid-runtime vim-tiny
        xz-utils zip zstd'''.split()),
    # What scripts/test --all needs: runtimes, toolchains, databases, test suites.
    'wide': ('tools', '''bubblewrap default-jdk-headless gdb golang-go golang-src libpython3.11-testsuite memcached nodejs openssl
        postgresql postgresql-contrib python3-dev redis-server rustc stress-ng locales-all'''.split()),
}


class Unavailable(Exception):
    """This tree cannot be had here; the text is the reason."""


def key(name):
    """Names the folder of a tree: a digest of every package list under it."""
    parent, packages = TREES[name]
    if parent is None:
        return RELEASE  # tests/host/fresh uses it too
    text = f'{FORMAT} {key(parent)} {" ".join(sorted(packages))}'
    return f'{RELEASE}-{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}'


def mirror():
    """The Debian mirror that this machine's own apt uses first."""
    files = glob.glob('/etc/apt/sources.list.d/*.sources') + ['/etc/apt/sources.list'] + glob.glob('/etc/apt/sources.list.d/*.list')
    for name in files:
        with contextlib.suppress(OSError), open(name, encoding='utf-8') as file:
            for url in re.findall(r'^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s*)?)(\S+)', file.read(), re.MULTILINE):
                if url.rstrip('/').endswith('/debian'):
                    return url
    raise Unavailable("found no Debian mirror in this machine's apt sources")


@contextlib.contextmanager
def only_maker():
    """One maker of trees at a time on this machine."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, 'debian.lock'), 'w', encoding='utf-8') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def logged(words, log):
    """Runs a step of making a tree. Raises Unavailable with the log's last lines."""
    with open(log, 'ab') as out:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
    if done.returncode != 0:
        with open(log, encoding='utf-8', errors='replace') as file:
            raise Unavailable(f'{os.path.basename(words[0])} failed: ' + ' | '.join(file.read().splitlines()[-3:]))


# Runs in namespaces of its own: $1 is the tree, $2 the folder of downloaded packages, the rest are packages.
INSTALL = r'''
set -e
tree=$1 archives=$2; shift 2
mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$tree/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
for name in null zero full random urandom tty; do
    touch "$tree/dev/$name"
    mount --bind "/dev/$name" "$tree/dev/$name"
done
ln -s pts/ptmx "$tree/dev/ptmx"
ln -s /proc/self/fd "$tree/dev/fd"
mount --bind "$archives" "$tree/var/cache/apt/archives"
in_tree() {
    chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" "$@"
}
[ -n "$(ls "$tree/var/lib/apt/lists" 2>/dev/null | grep Packages)" ] || in_tree apt-get -q update
in_tree apt-get -q -y --no-install-recommends install "$@"
'''


def prepare_install(tree, url):
    """What apt and dpkg of the tree need: sources, names, no daemons, no documents, no waiting for the disk."""
    texts = {
        'etc/apt/sources.list': f'deb {url} {RELEASE} main\n',
        'etc/dpkg/dpkg.cfg.d/tests': 'force-unsafe-io\npath-exclude /usr/share/doc/*\npath-exclude /usr/share/locale/*\n',
        'etc/hosts': '127.0.0.1 localhost guest\n::1 localhost\n',
        'etc/hostname': 'guest\n',
        'usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n',
    }
    for name, text in texts.items():
        with open(os.path.join(tree, name), 'w', encoding='utf-8') as file:
            file.write(text)
    os.chmod(os.path.join(tree, 'usr/sbin/policy-rc.d'), 0o755)
    shutil.copy('/etc/resolv.conf', os.path.join(tree, 'etc/resolv.conf'))
    for name in glob.glob('/etc/apt/apt.conf.d/*'):
        with open(name, encoding='utf-8') as file:
            if 'proxy' in file.read().lower():
                shutil.copy(name, os.path.join(tree, 'etc/apt/apt.conf.d'))


def make(name, target):
    """Makes a tree at target, whose parent is there already."""
    log = os.path.join(CACHE, f'debian-{name}.log')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log)
    archives = os.path.join(CACHE, 'archives')
    os.makedirs(os.path.join(archives, 'partial'), exist_ok=True)
    parent, packages = TREES[name]
    if parent is None:
        logged(['debootstrap', '--variant=minbase', RELEASE, target, mirror()], log)
        return
    logged(['cp', '-a', '--reflink=auto', path(parent) + '/.', target], log)
    prepare_install(target, mirror())
    logged(['unshare', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', 'bash', '-c', INSTALL, 'install',
            target, archives, *packages], log)


def path(name):
    return os.path.join(CACHE, key(name))


def is_made(name):
    return os.path.exists(os.path.join(path(name), '.complete'))


def tree(name):
    """The path of a complete tree, made first if need be. Raises Unavailable with the reason."""
    if is_made(name):
        return path(name)
    if os.getuid() != 0:
        raise Unavailable('only root can make a Debian tree')
    if not shutil.which('debootstrap'):
        raise Unavailable('no debootstrap (package debootstrap)')
    parent = TREES[name][0]
    if parent:
        tree(parent)
    with only_maker():
        if not is_made(name):
            target = path(name)
            shutil.rmtree(target, ignore_errors=True)
            print(f'# making Debian tree {name} in {target}', file=sys.stderr, flush=True)
            os.makedirs(target)
            try:
                make(name, target)
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                raise
            with open(os.path.join(target, '.complete'), 'w', encoding='utf-8'):
                pass
    return path(name)


class Scratch:
    """A writable copy of a tree at .path; nothing of it is left after close()."""

    def __init__(self, name, folder=None):
        self.folder = tempfile.mkdtemp(prefix='debian-', dir=folder)
        os.chmod(self.folder, 0o755)
        self.path = os.path.join(self.folder, 'rootfs')
        os.mkdir(self.path)
        self.mounted = False
        lower = tree(name)
        if not self.overlay(lower):
            subprocess.run(['cp', '-a', '--reflink=auto', lower + '/.', self.path], check=True)

    def overlay(self, lower):
        """Return: whether the tree could be mounted as an overlay."""
        for part in ('upper', 'work'):
            os.mkdir(os.path.join(self.folder, part))
        options = f'lowerdir={lower},upperdir={self.folder}/upper,workdir={self.folder}/work'
        done = subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o', options, self.path], capture_output=True, check=False)
        self.mounted = done.returncode == 0
        return self.mounted

    def write(self, inside, text, mode=0o644):
        target = os.path.join(self.path, inside.lstrip('/'))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(target, mode)

    def close(self):
        if self.mounted:
            subprocess.run(['umount', self.path], capture_output=True, check=False)
            self.mounted = os.path.ismount(self.path)
        if not self.mounted:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=dumb', 'LANG=C.UTF-8']

# What a container of the default configuration finds: the same mounts, made on the host. $1 is the tree, the rest a command.
ON_HOST = r'''
set -e
tree=$1; shift
mount -t proc proc "$tree/proc"
mount -t sysfs -o ro sysfs "$tree/sys"
mount -t tmpfs -o mode=755,nosuid,size=65536k tmpfs "$tree/dev"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$tree/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=65536k tmpfs "$tree/dev/shm"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$tree/tmp"
mknod -m 666 "$tree/dev/null" c 1 3
mknod -m 666 "$tree/dev/zero" c 1 5
mknod -m 666 "$tree/dev/full" c 1 7
mknod -m 666 "$tree/dev/random" c 1 8
mknod -m 666 "$tree/dev/urandom" c 1 9
mknod -m 666 "$tree/dev/tty" c 5 0
ln -s pts/ptmx "$tree/dev/ptmx"
ln -s /proc/self/fd "$tree/dev/fd"
ln -s fd/0 "$tree/dev/stdin"
ln -s fd/1 "$tree/dev/stdout"
ln -s fd/2 "$tree/dev/stderr"
hostname guest
ip link set lo up
ulimit -Sn 1024
[ -z "$CAPS" ] || exec setpriv --bounding-set "-all,$CAPS" --inh-caps -all chroot "$tree" "$@"
exec chroot "$tree" "$@"
'''


def host_command(root, words, env=(), caps=''):
    """The command that runs words under chroot on the host, in namespaces of their own, so that nothing outlives it.

    caps: setpriv's list (+kill,+chown…) of what the bounding set shall be; all by default.
    """
    return ['env', f'CAPS={caps}', 'unshare', '--mount', '--pid', '--uts', '--ipc', '--net', '--fork', '--kill-child', 'bash', '-c', ON_HOST,
            'host', root, '/usr/bin/env', '-i', '--default-signal', *ENV, *env, *words]


def main():
    words = sys.argv[1:]
    if words[:1] == ['path'] and len(words) == 2 and words[1] in TREES:
        print(tree(words[1]))
    else:
        sys.exit(f'usage: debian.py path {"|".join(TREES)}')


if __name__ == '__main__':
    try:
        main()
    except Unavailable as reason:
        sys.exit(f'debian: {reason}')
