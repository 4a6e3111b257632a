# strace: filters, forks, threads, signals, attach and detach, injection, exit statuses. Pids and addresses are masked.
exec 2>&1
export LC_ALL=C
mkdir -p /tmp/strace && cd /tmp/strace
mask() { sed -E 's/0x[0-9a-f]{5,}/ADDR/g; s/\[pid +[0-9]+\]/[pid N]/; s/^[0-9]+ +/N /; s/(si_pid|si_uid|si_utime|si_stime|child_tidptr|parent_tid)=\{?\[?[0-9A-Za-z]+\]?\}?/\1=X/g; s/(wait4\(|kill\(|tgkill\(|= )[0-9]{2,}/\1N/g; s/pid [0-9]+/pid N/; s/Process [0-9]+/Process N/'; }
echo one; strace -qq -e trace=openat,read -P /etc/hostname cat /etc/hostname 2>&1 | mask
echo two; strace -f -qq -e trace=execve,exit_group,write sh -c 'echo a; (echo b; exit 3); /bin/true; exec /bin/echo c' 2>&1 | mask | sort
echo three; strace -qq -e trace=none -e signal=all bash -c 'trap "echo got" USR1; kill -USR1 $$; kill -TERM $$' 2>&1 | mask; echo "status $?"
strace -qq -e trace=none sh -c 'exit 9' ; echo "status $?"
strace -qq -e trace=none sh -c 'kill -KILL $$' ; echo "status $?"
echo four; sleep 30 & pid=$!
strace -qq -o attached -e trace=clock_nanosleep,restart_syscall -p $pid & tracer=$!
until grep -q "^TracerPid:	$tracer" /proc/$pid/status; do sleep 0.01; done
kill -STOP $pid; until grep -q '^State:	[tT]' /proc/$pid/status; do sleep 0.01; done
sleep 0.2; kill -CONT $pid; until grep -q '^State:	S' /proc/$pid/status; do sleep 0.01; done
sleep 0.2; kill -INT $tracer; wait $tracer; grep '^TracerPid' /proc/$pid/status; kill $pid; wait $pid; echo "status $?"; grep -c 'stopped by SIGSTOP' attached
echo five; strace -qq -e trace=getppid,unlink -e inject=unlink:error=ENOSPC rm -f /tmp/strace/attached; ls attached
strace -qq -e trace=mkdir -e inject=mkdir:retval=0 mkdir /tmp/strace/never; ls -d never
echo six; cat >t.py <<'P'
import threading, os
def work(i):
    os.mkdir(f'/tmp/strace/d{i}')
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
P
strace -f -qq -e trace=mkdir python3 t.py 2>&1 | mask | sort; ls -d d?
echo seven; strace --seccomp-bpf -f -qq -e trace=mkdir sh -c 'mkdir e1; mkdir e2' 2>&1 | mask | sort
strace -c -f -e trace=rmdir sh -c 'rmdir e1; rmdir e2' 2>&1 | awk '/rmdir/ { print $(NF - 1), $NF }'
strace -qq -e trace=write -e fault=write:error=EIO:when=2 sh -c 'echo x; echo y; echo z' 2>&1 | mask
