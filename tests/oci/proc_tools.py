#!/usr/bin/env python3
"""What reads /proc and /sys, out of Debian: procps, psmisc, util-linux, lsof, run-times; the values against what is known.

The tree is read-only; each point runs one script in it. What does not depend on the kernel is also compared with chroot
on the host.
"""
import os
import re
import subprocess

import debian
import harness

PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
SECONDS = 90
KB, MB = 1024, 1024 * 1024


def tree_of(name):
    try:
        return debian.tree(name)
    except debian.Unavailable as reason:
        raise harness.Skip(str(reason)) from reason


def bash(t, script, tree='tools', memory=None):
    """What a script says in the sandbox; its stderr must be empty."""
    bundle = t.bundle(['/bin/bash', '-c', script])
    bundle.config['root'] = {'path': tree_of(tree), 'readonly': True}
    bundle.config['process']['env'] = [PATH, 'HOME=/root', 'TERM=xterm', 'LC_ALL=C.UTF-8']
    bundle.config['mounts'].append({'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs'})
    if memory:
        bundle.config['linux']['resources'] = {'memory': {'limit': memory}}
    bundle.write()
    done = t.runtime.run(bundle, t.name(), timeout=SECONDS)
    t.equal((done.returncode, done.stderr), (0, ''), f'status and stderr of {script!r} ({done.stdout[-500:]!r})')
    return done.stdout


def table(text):
    """Lines of words; the first names the columns. Return: a list of dicts, the last column with all that is left."""
    lines = text.splitlines()
    names = lines[0].split()
    return [dict(zip(names, line.split(None, len(names) - 1))) for line in lines[1:] if line.strip()]


def near(t, value, wanted, by, what):
    t.true(abs(value - wanted) <= by, f'{what}: {value}, expected about {wanted}')


def ps_tells_the_truth(t):
    """ps: who is there, whose child, how nice, in what state, and nobody of the host"""
    rows = table(bash(t, 'sleep 1000 & nice -n 7 sleep 1001 & sleep 1002 & p=$!; '
                         'until [ "$(ps -o args= -C sleep | grep -c ^sleep)" = 3 ]; do sleep .1; done; '
                         'kill -STOP $p; until [ $(ps -o stat= -p $p) = T ]; do sleep .1; done; ps -eo pid,ppid,pgid,sid,stat,ni,pri,nlwp,rss,vsz,cls,tty,user,args'))
    by_args = {row['COMMAND']: row for row in rows}
    t.equal([by_args[f'sleep {n}']['PPID'] for n in (1000, 1001, 1002)], ['1'] * 3, 'parents')
    t.equal(by_args['sleep 1001']['NI'], '7', 'niceness')
    t.equal(by_args['sleep 1001']['PRI'], '12', 'priority')
    t.equal(by_args['sleep 1000']['STAT'][0], 'S', 'state of a sleeper')
    t.equal(by_args['sleep 1002']['STAT'][0], 'T', 'state of a stopped process')
    t.equal({row['SID'] for row in rows}, {'1'}, 'sessions')
    t.equal({row['TT'] for row in rows}, {'?'}, 'terminals')
    t.true(len(rows) <= 6, f'somebody else is there: {sorted(by_args)}')
    for row in rows[:4]:
        t.true(0 < int(row['RSS']) <= int(row['VSZ']), f'sizes of {row}')


def resident_sizes(t):
    """ps, pmap, smaps, statm and VmHWM agree about 64 MiB that a process has touched, of 256 that it has mapped"""
    script = '''python3 - <<'END' &
import mmap, time
m = mmap.mmap(-1, 256 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(0, 64 << 20, 4096): m[i] = 1
print('ready', flush=True)
time.sleep(1000)
END
p=$!
until [ "$(ps -o rss= -p $p)" -gt 65536 ]; do sleep .1; done; sleep .2
ps -o rss= -p $p; pmap -x $p | tail -1 | awk '{print $4}'; awk '/^Rss/{s+=$2} END{print s}' /proc/$p/smaps
awk '{print $2*4}' /proc/$p/statm; awk '/VmHWM/{print $2}' /proc/$p/status; awk '/^Pss:/{print $2}' /proc/$p/smaps_rollup
awk '/VmSize/{print $2}' /proc/$p/status'''
    lines = [line for line in bash(t, script).splitlines() if line != 'ready']
    *resident, size = [int(line) for line in lines]
    t.equal(len(resident), 6, 'numbers')
    for value in resident:
        t.true(64 * KB <= value < 96 * KB, f'{value} kB of {resident}')
    t.true(size > 256 * KB, f'VmSize {size} kB')


def two_hundred(t):
    """ps aux over 200 processes"""
    out = bash(t, 'for i in $(seq 200); do sleep 1000 & done; TIMEFORMAT=%R; { time ps aux >/tmp/out; } 2>/tmp/took; '
                  'grep -c "sleep 1000" /tmp/out; cat /tmp/took')
    count, took = out.split()
    t.true(int(count) >= 200, f'{count} sleepers')
    t.true(float(took) < 5, f'ps took {took} s')


def memory_of_container(t):
    """free, top, vmstat and meminfo: the limit is the total, and what a process has touched is used"""
    out = bash(t, 'free -k; grep -E "^Mem" /proc/meminfo; top -b -n1 | grep "^MiB Mem"; vmstat -s | head -1; '
                  'python3 -c "b = bytearray(100 << 20); print(open(\'/proc/meminfo\').read().splitlines()[1])"', memory=512 * MB)
    numbers = {line.split(':')[0]: [int(n) for n in re.findall(r'\d+', line)] for line in out.splitlines() if ':' in line and 'MiB' not in line}
    t.equal(numbers['Mem'][0], 512 * KB, 'total of free')
    t.equal(numbers['MemTotal'], [512 * KB], 'MemTotal')
    t.true(numbers['Mem'][1] < 100 * KB, f'used with nothing there: {numbers["Mem"]}')
    t.contains(out, '512.0 total', 'top')
    t.contains(out, f'{512 * KB} K total memory', 'vmstat -s')
    t.true(350 * KB < numbers['MemFree'][0] < 412 * KB, f'free beside 100 MiB: {numbers["MemFree"]}')


def cpus(t):
    """nproc, lscpu, getconf, /proc/cpuinfo, taskset agree"""
    out = bash(t, 'nproc; grep -c ^processor /proc/cpuinfo; getconf _NPROCESSORS_ONLN; getconf _NPROCESSORS_CONF; '
                  'lscpu -p=CPU | grep -vc "^#"; grep -c "^cpu[0-9]" /proc/stat; '
                  'grep Cpus_allowed_list /proc/self/status; taskset -c 0 grep Cpus_allowed_list /proc/self/status')
    lines = out.splitlines()
    t.equal(len(set(lines[:6])), 1, f'numbers of CPUs in {lines}')
    t.equal(lines[7].split()[-1], '0', 'affinity of a pinned process')


def same_as_host(t):
    """lscpu, getconf, ps and pstree say what they say on the host"""
    script = '''lscpu -p=CPU,CORE,SOCKET,NODE | grep -v "^#"; getconf PAGE_SIZE; getconf LEVEL1_DCACHE_SIZE; getconf LEVEL2_CACHE_LINESIZE
wc -w < /proc/self/stat; wc -w < /proc/self/statm; cat /proc/self/comm
sleep 1000 & (sleep 1000 & exec sleep 1000) & until [ "$(pgrep -c -x sleep)" = 3 ]; do sleep .1; done
pstree -A $$ > /tmp/tree; grep -v pstree /tmp/tree | sed 's/^bash-+-.*//'; ps -o comm,ni,cls,pri,nlwp --no-headers -C sleep; pidof -s sleep > /dev/null && echo found
cut -d' ' -f1 /proc/filesystems | grep -c proc; head -1 /proc/swaps; free | wc -l; ls /proc/self/task | wc -l; kill $(pidof sleep)'''
    tree = tree_of('tools')
    box = bash(t, script)
    host = subprocess.run(debian.host_command(tree, ['/bin/bash', '-c', script], env=[PATH, 'HOME=/root', 'TERM=xterm', 'LC_ALL=C.UTF-8']),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
    t.equal(box.splitlines(), host.stdout.splitlines(), f'the sandbox and the host ({host.stderr[-300:]!r})')


def mounts_and_disks(t):
    """mount, findmnt, df, lsblk, swapon"""
    out = bash(t, 'mount | wc -l; findmnt -rno TARGET | wc -l; wc -l < /proc/self/mountinfo; df --output=target | tail -n +2 | sort; '
                  'findmnt -no FSTYPE /proc; lsblk; swapon --show; mountpoint /proc; mountpoint /sys')
    lines = out.splitlines()
    t.equal(len(set(lines[:3])), 1, f'numbers of mounts in {lines}')
    t.true({'/', '/dev', '/tmp'} <= set(lines), f'df: {lines}')
    t.true('proc' in lines and '/proc is a mountpoint' in lines and '/sys is a mountpoint' in lines, f'{lines}')


def files_of_processes(t):
    """lsof and fuser find who has a file open, maps it, runs it"""
    out = bash(t, 'sleep 1000 3>/tmp/held & p=$!; until [ /proc/$p/exe -ef /bin/sleep ]; do sleep .1; done; '
                  'lsof -w -p $p -Fftn | tr "\\n" " "; echo; fuser /tmp/held 2>/dev/null; echo; fuser /bin/sleep 2>/dev/null; echo; echo $p')
    lsof, held, runs, pid = out.strip().splitlines()
    for part in ('fcwd tDIR', 'ftxt tREG n/usr/bin/sleep', 'f3 tREG n/tmp/held', 'libc.so.6'):
        t.contains(lsof, part, 'lsof')
    t.equal((held.split(), runs.split()), ([pid], [pid]), 'fuser of an open file and of a program')


def counters(t):
    """uptime, /proc/stat, vmstat, top: time passes and is accounted to who used it"""
    out = bash(t, '''TIMEFORMAT=%U; a=($(head -1 /proc/stat))
{ time timeout 1 sh -c 'while :; do :; done'; } 2>&1; b=($(head -1 /proc/stat)); echo $((b[1] + b[3] - a[1] - a[3])); cut -d. -f1 /proc/uptime; uptime -p >/dev/null; vmstat 1 2 | tail -1 | wc -w; top -b -n1 | head -1''')
    busy, used, up, columns, top = out.splitlines()
    t.true(int(used) >= int(float(busy) * 100) - 2, f'{used} ticks for {busy} s of CPU time')
    t.true(int(up) < 60, f'the sandbox is up for {up} s: that is the host')
    t.equal(columns, '17', 'columns of vmstat')
    t.contains(top, 'load average', 'top')


def nothing_of_the_host(t):
    """its command line, name, boot id and processes stay hidden"""
    out = bash(t, 'cat /proc/cmdline /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id; uname -r; cat /proc/1/comm; '
                  'cat /proc/partitions /proc/diskstats /proc/modules')
    host = [harness.read_text(f'/proc/{name}').strip() for name in ('cmdline', 'sys/kernel/random/boot_id')]
    for text in host:
        t.true(not text or text not in out, f'{text!r} is shown')
    lines = out.splitlines()
    t.equal(lines[1], 'guest', 'host name')
    t.equal((lines[3], lines[4]), ('4.4.0', 'bash'), 'release and first process')
    t.equal(lines[5:], [], 'disks and modules')


def run_times(t):
    """java, node, go and python count the CPUs and the memory of the container"""
    if not debian.is_made('wide'):
        raise harness.Skip('the tree with the run-times is not made here (scripts/test --all makes it)')
    out = bash(t, '''nproc; java -XX:+PrintFlagsFinal -version 2>/dev/null | awk '/ MaxHeapSize /{print $4}'
nodejs -e 'const os=require("os"); console.log(os.cpus().length, os.totalmem(), os.release(), process.memoryUsage().rss > 1e7)'
python3 -c 'import os; print(os.cpu_count(), os.sysconf("SC_PHYS_PAGES") * 4096)' ''', tree='wide', memory=1024 * MB)
    count, heap, node, python = out.splitlines()
    near(t, int(heap), 256 * MB, 32 * MB, "java's heap, a quarter of memory")
    t.equal(node.split(), [count, str(1024 * MB), '4.4.0', 'true'], 'node')
    t.equal(python.split(), [count, str(1024 * MB)], 'python')


if __name__ == '__main__':
    os.environ.setdefault('LC_ALL', 'C.UTF-8')
    harness.main(__doc__, [ps_tells_the_truth, resident_sizes, two_hundred, memory_of_container, cpus, same_as_host, mounts_and_disks,
                           files_of_processes, counters, nothing_of_the_host, run_times])
