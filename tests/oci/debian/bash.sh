# A long bash script: what of bash leans on processes, signals, descriptors, files and time.
set -u
export LC_ALL=C
mkdir -p /tmp/work && cd /tmp/work
say() { printf '== %s\n' "$*"; }
# What bash says on stderr is part of it: names of lines only.
exec 2>&1

say arrays
a=(one two "three four" five)
a[9]=nine
echo "${#a[@]} ${!a[*]} ${a[-1]} ${a[@]:1:2}"
unset 'a[1]'
printf '<%s>' "${a[@]}"; echo
declare -A map=([x]=1 [y]=2 ["a b"]=3)
for key in "${!map[@]}"; do echo "$key=${map[$key]}"; done | sort
mapfile -t lines < <(printf '%s\n' alpha beta gamma)
echo "${#lines[@]}:${lines[*]^^}"
declare -n ref=lines; ref+=(delta); echo "${lines[3]}"
readarray -d , -t parts <<<"p,q,r,"; echo "${#parts[@]} ${parts[1]}"

say arithmetic
echo $((7 / 2)) $((-7 % 3)) $((2 ** 40)) $((0x1f | 010)) $((1 << 62)) $((16#ff)) $((5 > 3 ? 10 : 20))
((i = 5, i += 3, i--)); echo $i
for ((i = 0, j = 10; i < j; i += 3, j--)); do printf '%d,%d ' $i $j; done; echo
let 'k = 3 * 4'; echo $k
echo $((1 / 0)) || echo "divided: $?"

say strings
s="The quick brown fox"
echo "${s#* }" "${s##* }" "${s%o*}" "${s%%o*}" "${s/quick/slow}" "${s//o/0}" "${s:4:5}" "${s: -3}" "${#s}" "${s,,}" "${s^^}"
echo "${unset_one:-default}" "${s:+set}" "${s@Q}"
printf '%05d|%-8s|%8s|%x|%o|%e|%.3f|%c|%b|%q\n' 42 left right 255 8 12345.678 3.14159 xyz 'a\tb' "it's \$x"
printf '%(%Y-%m-%d)T\n' 86400
[[ $s =~ (q[a-z]+)\ (b[a-z]+) ]] && echo "${BASH_REMATCH[1]}/${BASH_REMATCH[2]}"
[[ abc == a*c && ! abc == a?d && b > a ]] && echo patterns
case $s in The*fox) echo matched ;;& *brown*) echo again ;; *) echo no ;; esac

say globs
mkdir -p g/sub/deep; touch g/{a,b,c}.txt g/sub/{x,y}.c g/sub/deep/z.c g/.hidden
shopt -s globstar nullglob extglob dotglob
echo g/*; echo g/**/*.c; echo g/!(a|b).txt; echo g/nothing*; echo g/+([a-b]).txt
shopt -u dotglob nullglob
echo g/*; echo g/nothing*
echo {1..5} {a..e..2} {01..03} x{1,2}{a,b}

say here documents
cat <<END
expands $((1 + 1)) ${s%% *} $(echo command)
END
cat <<'END'
does not $((1 + 1)) $s
END
cat <<-END
	tabs are taken away
	END
tr a-z A-Z <<<"here string"
big=$(head -c 200000 /dev/zero | tr '\0' x); cat <<<"$big" | wc -c

say functions and scope
f() { local x=inner; echo "$x $# $* ${FUNCNAME[0]}"; return 7; }
x=outer; f 1 2 3; echo "$? $x"
fact() { (($1 <= 1)) && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }
fact 12
(x=sub; exit 3); echo "$? $x"
{ x=group; }; echo $x
opts() { local OPTIND=1 o; while getopts 'ab:c' o; do echo "opt $o ${OPTARG-}"; done; shift $((OPTIND - 1)); echo "rest $*"; }
opts -a -b value -c rest of it

say pipes and statuses
true | false | true; echo "${PIPESTATUS[*]}"
set -o pipefail; false | true; echo $?; set +o pipefail
yes | head -n 3; echo "${PIPESTATUS[*]}"
seq 1 20000 | grep -c 7
seq 1 5 | while read -r n; do echo -n "$n."; done; echo
shopt -s lastpipe; echo last | read -r got; echo "${got-none}"; shopt -u lastpipe
! true; echo $?
nonexistent_command_x; echo $?
/tmp/work; echo $?
: >plain; ./plain; echo $?
echo 'exit 9' >script; chmod +x script; ./script; echo $?
echo echo interpreted >script; ./script
printf '#!/bin/bash\necho "$0 $*"\n' >script; ./script a b

say redirections
exec 3>out.txt; echo to three >&3; exec 3>&-; cat out.txt
echo more >>out.txt; exec 4<>out.txt; read -r l <&4; echo "$l"; read -r l <&4; echo "$l"; exec 4>&-
{ echo out; echo err >&2; } >o.txt 2>e.txt; cat o.txt e.txt
{ echo both; echo of >&2; } &>b.txt; cat b.txt
set -C; echo x >b.txt || echo "noclobber $?"; echo y >|b.txt; cat b.txt; set +C
exec {fd}>v.txt; echo "$fd" | grep -c '^[0-9]*$'; echo var >&"$fd"; exec {fd}>&-; cat v.txt
echo nope >/nonexistent/dir/file; echo $?
cat <nofile; echo $?
echo x >&9; echo $?
echo full >/dev/full; echo $?
wc -c </dev/null
diff <(seq 1 5) <(seq 2 6); echo $?
tee >(tr a-z A-Z >upper.txt) <<<"substitution" >/dev/null; for _ in {1..200}; do [ -s upper.txt ] && break; sleep 0.01; done; cat upper.txt
paste -d+ <(echo 1) <(echo 2) <(echo 3)
readlink /proc/self/fd/0 <plain

say background and wait
sleep 0.05 & p=$!; wait $p; echo "waited $?"
(exit 5) & wait $!; echo $?
(sleep 0.3; exit 1) & (sleep 0.02; exit 2) & wait -n; echo "first $?"; wait -n; echo "second $?"
wait; echo "all $?"
wait 99999; echo $?
pids=(); for n in 1 2 3 4 5; do (sleep 0.0$n; exit $n) & pids+=($!); done
for p in "${pids[@]}"; do wait "$p"; echo -n "$? "; done; echo
(sleep 0.02; exit 6) & wait -n -p which $!; echo "$? $((which == $!))"
sleep 10 & kill $!; wait $!; echo "killed $?"
sleep 10 & kill -9 $!; wait $!; echo "killed $?"
sleep 10 & kill -STOP $!; kill -CONT $!; kill -HUP $!; wait $!; echo "hup $?"
sh -c 'kill -SEGV $$'; echo "segv $?"
sh -c 'kill -PIPE $$'; echo "pipe $?"
jobs; (sleep 0.1) & jobs -r | sed 's/[0-9][0-9]* *Run/N Run/'; wait
time_out() { timeout "$1" sleep 5; echo "timeout $?"; }
time_out 0.05; timeout -s KILL 0.05 sleep 5; echo $?; timeout 5 true; echo $?

say traps
trap 'echo caught USR1' USR1; kill -USR1 $$; trap - USR1
trap 'echo caught TERM in wait' TERM; (sleep 0.05; kill -TERM $$) & wait; echo "wait says $?"; wait; trap - TERM
trap '' INT; kill -INT $$; echo ignored; trap - INT
(trap 'echo leaving $?' EXIT; exit 4); echo $?
(trap 'echo error on $LINENO' ERR; false; true)
(set -e; trap 'echo bye' EXIT; false; echo not reached); echo $?
debug() { trap 'echo "debug: $BASH_COMMAND"' DEBUG; : one; : two; trap - DEBUG; }
debug
(trap 'echo got HUP; exit 3' HUP; sleep 5 & kill -HUP $BASHPID; wait); echo $?
bash -c 'trap "echo chld" CHLD; sleep 0.02 & wait; true' | sort -u
trap 'n=$((n+1))' USR2; n=0; for _ in {1..50}; do kill -USR2 $$; done; echo "n=$n"; trap - USR2
(trap 'echo inner' USR1; (kill -USR1 $BASHPID; echo reset by subshell); echo "$?")
trap -p; kill -l 9 15 SIGCHLD

say coproc
coproc UP { while read -r l; do echo "${l^^}"; done; }
echo first >&"${UP[1]}"; read -r r <&"${UP[0]}"; echo "$r"
echo second >&"${UP[1]}"; read -r r <&"${UP[0]}"; echo "$r"
eval "exec ${UP[1]}>&-"; wait "$UP_PID"; echo $?

say read
printf 'a b c\nd\\e f\n' | { read -r x y; echo "$x|$y"; read -r z; echo "$z"; read -r w; echo "$? [$w]"; }
read -t 0.05 -r never < <(sleep 1); echo "$(( $? > 128 ))"
read -n 3 -r three <<<"abcdef"; echo "$three"
read -d : -r upto <<<"up:to"; echo "$upto"
IFS=, read -ra fields <<<"1,2,,4"; echo "${#fields[@]} ${fields[3]}"
read -t 0 < <(sleep 0.5) && echo ready || echo "not ready"
read -u 5 -r five 5<<<"from five"; echo "$five"

say FIFOs
mkfifo fifo; (echo through; echo fifo) >fifo & cat fifo; wait
exec 7<>fifo; echo held >&7; read -r l <&7; echo "$l"; exec 7>&-
(sleep 0.05; echo late) >fifo & read -t 2 -r l <fifo; echo "$l"; wait
rm fifo

say job control without a terminal
set -m
sleep 1 & p=$!; ps -o pgid= -p $p | tr -d ' ' | grep -qx "$p" && echo "own group"
wait $p
wait; jobs >/dev/null; (sleep 20; true) & p=$!; kill -STOP -- -$p; sleep 0.05; jobs | sed 's/ *(sleep.*//'; kill -CONT -- -$p; kill -TERM -- -$p; wait $p; echo $?
sleep 0.05 & fg >/dev/null; echo "fg $?"
set +m

say limits and ids
(ulimit -n 50; ulimit -n; ulimit -Hn; exec 60>/dev/null; echo $?)
(ulimit -f 1; head -c 5000 /dev/zero >limited; echo $?; stat -c %s limited)
(ulimit -c 0; ulimit -s 4096; ulimit -s)
(ulimit -t 1; bash -c 'while :; do :; done'; echo $?)
(ulimit -u 100; ulimit -u)
umask 027; touch masked; mkdir dmasked; stat -c '%a %F' masked dmasked; umask 022
echo $UID $EUID $PPID ${#GROUPS[@]} | awk '{print $1, $2, $4}'
[ $$ = $BASHPID ] && echo same; (echo $((BASHPID != $$)) $BASH_SUBSHELL)

say tests
touch -d '2020-01-01' old; touch -d '2021-01-01' new; ln -s old link; ln old hard; ln -s nowhere dangling
for t in '-e old' '-f old' '-d g' '-L link' '-e dangling' '-h dangling' '-s old' '-r old' '-x old' 'new -nt old' 'old -ef hard' '-p old' '-c /dev/null' '-t 0' '-O old' '-N old'; do
    test $t; echo -n "[$t] $? "
done; echo
cd g/sub; cd ../sub/./deep; pwd; cd -; pushd /tmp >/dev/null; dirs; popd; cd /tmp/work
cd nowhere; echo $?

say children and environment
export E=exported; bash -c 'echo "$E ${F-unset}"'; F=once bash -c 'echo "$F"'; echo "${F-unset}"
env -i A=1 bash -c 'echo "$A ${E-gone}"'
bash -c 'exec -a renamed bash -c "echo \$0"'
echo 'echo sourced $1; return 3' >src; . ./src arg; echo $?
eval 'echo ev$((1+1))'
command -v ls; type -t cd ls say if
set -- a b c; shift; echo "$# $1"; set --
exec 8< <(echo kept); (read -r l <&8; echo "$l"); exec 8<&-
n=0; while ((n < 300)); do (exit 0); n=$((n + 1)); done; echo "$n children"
n=0; while ((n < 100)); do /bin/true; n=$((n + 1)); done; echo "$n programs"
echo "$(for i in {1..1000}; do echo "line $i"; done | sort -rn -k2 | head -1)"
x=$(seq 1 30000); echo ${#x}
printf '%s\n' {1..500} | xargs -n 7 -P 4 echo | wc -l
printf '%s\n' {1..6} | xargs -I{} sh -c 'exit 0'; echo $?
echo "SECONDS $((SECONDS < 300)) RANDOM $((RANDOM < 32768)) EPOCH $((EPOCHSECONDS > 1600000000))"
TIMEFORMAT=%R; { time sleep 0.2; } 2>&1 | awk '{print ($1 >= 0.2 && $1 < 5) ? "timed" : "wrong " $1}'
times | wc -l
disown -a; hash -r; shopt -q sourcepath && echo done
trap 'echo the end' EXIT
exit 0
