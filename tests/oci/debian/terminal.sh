# Terminals: script makes one; tmux draws in another; stty, tty, less and vi look at theirs.
exec 2>&1
cd /tmp
script -qc 'tty | sed "s/[0-9]*$/N/"; stty size; stty -a | head -n 1; echo "$(stty -g | wc -c)"' /dev/null </dev/null
script -qec 'exit 5' /dev/null </dev/null; echo $?
script -qc 'bash -ic "sleep 0.1 & jobs; wait; echo \$-; ps -o tpgid=,pgid= -p \$\$ | awk \"{print (\\\$1 == \\\$2)}\""' /dev/null </dev/null
python3 - <<'END'
import os, pty, signal, termios, time
pid, master = pty.fork()
if pid == 0:
    os.execvp('cat', ['cat'])
os.write(master, b'line\n')
got = b''
while got.count(b'line') < 2:
    got += os.read(master, 100)
print(got)
os.write(master, b'\x03')
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
