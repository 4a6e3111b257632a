#!/bin/sh
# suite.sh - what a shell and its tools do, for busybox ash. It prints the same text on every kernel that is one:
# no pids, times, inode numbers, sizes of the machine. Run it by `sh suite.sh` in any tree with busybox's applets.
umask 022
unset LANG LC_ALL
top=$(mktemp -d /tmp/suite.XXXXXX) || exit 99
trap 'cd /; rm -rf "$top"; echo "cleaned up, status $?"' EXIT
cd "$top" || exit 99
section() {
    echo "== $1"
}

section "words and expansion"
a=one b='two words' empty=
echo "$a" "$b" "[$empty]" "${undefined-default}" "${empty:-filled}" "${a:+set}"
echo "${#b}" "${b%% *}" "${b#* }" "${a%e}" "$(echo nested $(echo deep))"
set -- first 'second arg' third
echo "$# $1|$2|$3" "$*"
for word in "$@"; do printf '<%s>' "$word"; done; echo
shift; echo "$# $1"
IFS=: ; list=x:y::z; for part in $list; do printf '[%s]' "$part"; done; echo; unset IFS
echo file-{a,b} "~" '$HOME' \$a "tab	here"

section "arithmetic"
i=7
echo $((i * 6)) $((i % 4)) $((-i / 2)) $((1 << 10)) $((0x1f)) $((i > 3 && i < 9)) $((i == 7 ? 100 : 200))
i=$((i + 1)); : $((i += 2)); echo $i $((~0)) $((010)) $((9223372036854775807))
expr 3 + 4; expr length abcdef; expr abc : 'a\(.\)c'; seq -s, 1 2 9; echo '2^20; 7/2' | bc

section "tests and cases"
[ -d . ] && [ ! -e nothing ] && echo "test ok"
[ abc = abc ] && [ abc != abd ] && [ 3 -lt 10 ] && [ -n x ] && [ -z "" ] && echo "compare ok"
for value in apple 42 -x '' 'a b' file.tar.gz; do
    case $value in
    [0-9]*) echo "number $value" ;;
    -*) echo "option $value" ;;
    '') echo "empty" ;;
    *.tar.gz | *.tgz) echo "archive ${value%%.*}" ;;
    *' '*) echo "with blank" ;;
    *) echo "other $value" ;;
    esac
done

section "functions and loops"
factorial() {
    [ "$1" -le 1 ] && { echo 1; return; }
    echo $(($1 * $(factorial $(($1 - 1)))))
}
factorial 10
status() { return "$1"; }
status 0; echo $?; status 42; echo $?; ! status 1; echo $?
local_test() { local a=inner; a="$a changed"; echo "$a"; }
local_test; echo "$a"
n=0; while :; do n=$((n + 1)); [ $n -eq 3 ] && continue; [ $n -gt 5 ] && break; printf '%d ' $n; done; echo
n=3; until [ $n -eq 0 ]; do printf '%d ' $n; n=$((n - 1)); done; echo
for x in 1 2 3; do for y in a b; do [ $x$y = 2a ] && continue 2; printf '%s ' $x$y; done; done; echo
while getopts 'ab:c' option -a -b value -c rest; do echo "option $option ${OPTARG-}"; done

section "subshells"
v=outer; (v=inner; cd /; echo "$v $(pwd)"); echo "$v"; [ "$(pwd)" = "$top" ] && echo "still here"
{ echo grouped; echo lines; } | wc -l
(exit 3); echo $?; (exit 256); echo $?
{ (kill -TERM $(exec sh -c 'echo $PPID')); echo $?; } 2> /dev/null
echo "$(echo a; echo b)" | tr '\n' +; echo

section "redirections"
echo first > out; echo second >> out; cat out; cat < out | wc -l
{ echo to-stdout; echo to-stderr >&2; } 2>&1 | sort
{ echo lost; echo kept >&2; } 2> err > /dev/null; cat err
ls nothing-here 2> err || sed 's/^[^:]*: //' err
exec 3> three; echo via three >&3; exec 3>&-; cat three
exec 4< out; read -r line <&4; echo "$line"; read -r line <&4; echo "$line"; exec 4<&-
cat <<END
value of a: $a, sum $((1 + 2)), command $(echo sub)
END
cat <<'END'
not expanded: $a $(echo sub)
END
cat <<-END
	tabs are
	removed
	END
(set -C; echo new > fresh; echo again > fresh) 2> /dev/null || echo "noclobber"

section "pipes"
seq 1 100 | awk '{ s += $1 } END { print s }'
seq 1 10 | sed -n '3,5p;$p' | tr '\n' ' '; echo
yes abc | head -n 3; seq 1 1000 | tail -n 2
printf 'b\na\nc\na\n' | sort | uniq -c | awk '{ print $1, $2 }'
false | true; echo $?; true | false; echo $?; (set -o pipefail; false | true; echo $?)
seq 1 20000 | sort -rn | head -n 1; dd if=/dev/zero bs=1024 count=300 2> /dev/null | wc -c
mkfifo pipe; (echo through the pipe > pipe) & cat pipe; wait
seq 1 5 | while read -r x; do printf '%s;' "$((x * x))"; done; echo
echo "$a" | (read -r got; echo "read $got"); printf 'a b  c\\d\n' | { read x y; echo "$x/$y"; }
seq 1 50 | tee copy | md5sum | cut -d' ' -f1; md5sum < copy | cut -c1-32

section "jobs"
exec 5>&2 2> /dev/null # the shell tells there who was killed, now or a moment later
sleep 30 & job=$!
kill -0 $job && echo "job runs"; kill $job; wait $job; echo $?
(exit 5) & wait $!; echo $?
for x in 8 2 5; do (sleep 0.$x; echo "job $x") & done; wait; echo "all done"
sleep 30 & one=$!; sleep 30 & two=$!; kill -KILL $one; kill $two; wait $one; echo $?; wait $two; echo $?
timeout 1 sleep 30; echo $?; sh -c 'kill -9 $$'; echo $?
(sleep 0.2; echo late > flag) & while [ ! -s flag ]; do sleep 0.05; done; cat flag; wait
wait 99999; echo $?; kill -0 99999; echo $?; kill -l 15; kill -l INT
(while :; do :; done) & spin=$!; sleep 0.1; kill -STOP $spin; kill -CONT $spin; kill -INT $spin; kill -TERM $spin; wait $spin; echo $?
mkfifo there back; (while read -r x; do echo "$((x + 1))"; done < there > back) &
exec 6> there 7< back; for x in 1 10 100; do echo $x >&6; read -r y <&7; echo "$x -> $y"; done; exec 6>&- 7<&-; wait
sh -c 'sleep 0.1 & exec sleep 0.2'; echo $?; seq 1 8 | xargs -n 1 -P 4 sh -c 'sleep 0.0$0; echo $0' | sort | tr -d '\n'; echo
exec 2>&5 5>&-

section "traps"
sh -c 'trap "echo got usr1" USR1; kill -USR1 $$; echo after'
sh -c 'trap "echo bye" EXIT; exit 6'; echo $?
sh -c 'trap "" TERM; kill -TERM $$; echo survived'
sh -c 'trap "echo int; exit 9" INT; kill -INT $$; sleep 5'; echo $?
sh -c 'trap "echo caught" TERM; (sleep 0.2; kill $$) & wait $!; wait; echo end' 2> /dev/null
(trap 'echo sub exit' EXIT; echo in sub)

section "errors"
sh -c 'set -e; echo before; false; echo never'; echo $?
sh -c 'set -u; echo $nothing_set' 2> /dev/null || echo "unset is an error"
nosuchcommand 2> /dev/null; echo $?; ./out 2> /dev/null; echo $?
sh -c 'exit 300'; echo $?; sh -c 'if then' 2> /dev/null; echo $?
eval 'echo evaluated $a'; eval "b=\"changed\""; echo "$b"; command -v echo

section "files"
mkdir -p tree/a/b tree/c; echo 1 > tree/a/one; echo 22 > tree/a/b/two; : > tree/c/empty
ln -s a/one tree/link; ln tree/a/one tree/hard; chmod 750 tree/c; chmod u+x,go-r tree/a/one
find tree | sort; find tree -type f -size +0 | sort; find tree -type l; find tree -type f -name 't*' -exec cat {} \;
ls -R tree | head -n 5; ls -ld tree/c | cut -c1-10; ls -l tree/a/one | cut -c1-10; readlink tree/link; cat tree/link
stat -c '%n %s %F %a %h' tree/a/one tree/link; stat -c '%n %F %a' tree/c; test tree/a/one -ef tree/hard && echo "same file"
mv tree/a/b/two tree/moved; cp -r tree/a tree/copied; rm -r tree/a/b; rmdir tree/c 2> /dev/null || echo "not empty"
find tree -type d | sort; rm tree/hard; cat tree/copied/one; echo tree/*; echo tree/[ac]*; echo none*matches
touch -d '2001-02-03 04:05:06' old; TZ=UTC date -r old '+%Y-%m-%d %H:%M:%S'; [ out -nt old ] && echo newer
truncate -s 5000 big; wc -c < big; du -k big > /dev/null && echo "du works"
basename /x/y.txt .txt; dirname /x/y.txt; realpath tree/../out | sed "s|$top|TOP|"

section "text tools"
printf '%5d|%-6s|%05.1f|%x|%c\n' 42 left 3.14159 255 z; printf '%s\n' a b c | paste -s -d, -
printf 'name:age\nann:30\nbob:4\n' | awk -F: 'NR > 1 { t += $2; print $1 "=" $2 } END { print "total", t }'
echo 'Hello World' | sed -e 's/o/0/g' -e 's/\(W\)/<\1>/' | tr 'a-z' 'A-Z'; echo abcdef | cut -c2-4; echo a,b,c | cut -d, -f1,3
printf '10 x\n9 y\n100 z\n' | sort -n | cut -d' ' -f2 | tr -d '\n'; echo; printf 'k2 a\nk1 b\n' | sort -k2 -r
printf 'one\ntwo\nthree\n' | grep -n 't' ; printf 'a1\nb2\n' | grep -v '^a'; echo aXbXc | awk '{ n = split($0, p, "X"); print n, p[3] }'
seq 1 7 | xargs -n 3 echo; printf 'a\0b c\0' | xargs -0 -n 1 printf '[%s]'; echo
echo 'rev me' | rev; seq 1 3 | tac | tr '\n' ' '; echo; printf 'x\ty\n' | expand -t 4; echo abc | od -An -tx1 | tr -s ' '
echo hello | sha256sum | cut -c1-16; printf 'diff\nme\n' > d1; printf 'diff\nyou\n' > d2; diff d1 d2 | tail -n +2; cmp d1 d1 && echo equal
head -c 10 /dev/zero | od -An -c | tr -s ' '; echo 'wrap this line of text' | fold -w 8; echo MixedCase | awk '{ print tolower($0), length }'

printf '3 c x\n1 b y\n3 a z\n' | sort -k1,1n -k2,2r | tr '\n' ';'; echo; printf 'B\na\nC\n' | sort -f | tr -d '\n'; echo; echo 'x=1;y=2' | awk -v RS=';' -F= '{ m[$1] = $2 } END { print m["x"] + m["y"] }'
printf 'l1\nl2\nl3\nl4\n' > lines; sed -e '2d' -e '3s/l/L/' -e '$a end' lines; sed -n '/l2/,/l3/{=;p}' lines; sed 's/^\(.\)\(.\)$/\2\1/' lines | tr '\n' ' '; echo
sed -i 's/l4/last/' lines; nl -ba lines | tail -n 1 | tr -s ' \t' ' '; echo 'a.b*c' | sed 's/[.*]/_/g'; printf '%b|%s\n' 'x\ty' 'x\ty'; printf '%03o %e %%\n' 8 12345.678
cp lines new; echo changed >> new; diff -u lines new > patchfile; patch lines < patchfile > /dev/null && cmp lines new && echo patched; printf '1i\nzero\n.\nw\nq\n' | ed lines; head -n 1 lines
echo 'some text' | base64; echo c29tZSB0ZXh0Cg== | base64 -d; printf 'abc' | xxd | cut -c1-19; factor 360 97; cal 2 2000 | tail -n +3 | head -n 2
awk 'BEGIN { for (i = 0; i < 5; i++) a[i] = i * i; for (i = 4; i >= 0; i--) printf "%d ", a[i]; print substr("abcdef", 2, 3), index("hello", "l"), sprintf("%04d", 42); exit 3 }'; echo $?
awk '/^function/ { next } { gsub(/[aeiou]/, "#"); print NR ": " $0 }' lines; awk 'BEGIN { while (("seq 1 3" | getline x) > 0) s = s x "-"; print s; system("echo from system"); print "to sort" | "sort"; }'

section "archives"
tar cf a.tar tree && tar tf a.tar | sort | head -n 3; mkdir out2; tar xf a.tar -C out2; cat out2/tree/copied/one
tar czf a.tgz tree; mkdir out3; tar xzf a.tgz -C out3; diff -r tree out3/tree && echo "trees equal"; echo packed | gzip -c | gunzip -c
gzip -c lines > l.gz; zcat l.gz | cmp - lines && echo "same after gzip"; bzip2 -c lines | bunzip2 -c | head -n 1; mkdir out4; tar cf - tree | (cd out4 && tar xf -); ls out4
find tree | sort | cpio -o -H newc 2> /dev/null | cpio -t 2> /dev/null | wc -l; dd if=d1 bs=1 skip=5 count=2 2> /dev/null; echo

section "many"
mkdir many; n=0; while [ $n -lt 300 ]; do echo $n > many/f$n; n=$((n + 1)); done; ls many | wc -l; cat many/* | awk '{ s += $1 } END { print s }'
find many -name 'f*7' | wc -l; rm many/f*5; ls many | wc -l; (cd many; for f in f1*; do mv "$f" "g${f#f}"; done; ls g* | wc -l); rm -r many
n=0; while [ $n -lt 40 ]; do /bin/true && n=$((n + 1)); done; echo "$n programs"; n=0; for x in $(seq 1 30); do n=$((n + $(echo $x))); done; echo "$n from substitutions"
seq 1 3000 | cat | cat | cat | cat | tail -n 1; deep() { [ $1 -eq 0 ] && echo bottom || deep $(($1 - 1)); }; deep 200
x=$(seq 1 5000); echo ${#x}; echo "$x" | md5sum | cut -c1-8; seq 1 100000 | md5sum | cut -c1-8; head -c 3000000 /dev/zero | md5sum | cut -c1-8
cat > script <<'END'
#!/bin/sh
echo "script $0 with $# arguments: $*"
read -r line && echo "stdin: $line"
exit $(($1 + 1))
END
chmod +x script; echo input | ./script 6 x; echo $?; printf '#!%s/script\n' "$top" > second; chmod +x second; ./second 2> /dev/null < /dev/null | sed "s|$top|TOP|g"; printf '#!/no/such\n' > third; chmod +x third; ./third 2> /dev/null; echo $?
(ulimit -n 20; ulimit -n; exec 30> x) 2> /dev/null || echo "no descriptor 30"; { (ulimit -f 1; dd if=/dev/zero of=limited bs=1024 count=9); echo $?; } 2> /dev/null
set -f; echo *; set +f; (set -x; : traced "$a") 2>&1; alias hi='echo aliased'; eval hi; unalias hi; type cd | head -n 1; readonly R=1; (R=2) 2> /dev/null || echo "readonly"
set -- $(printf '%s ' c a b); printf '%s\n' "$@" | sort | tr -d '\n'; echo; . ./script < /dev/null 5 2> /dev/null | head -n 1 | sed 's/script .*with/script with/'

section "programs in the shell"
push() { stack="$1 $stack"; }
pop() { top_of=${stack%% *}; stack=${stack#* }; }
stack=; for token in 3 4 + 2 '*' 7 -; do # postfix notation
    case $token in
    [0-9]*) push "$token" ;;
    *) pop; y=$top_of; pop; x=$top_of; push $((x $token y)) ;;
    esac
done; pop; echo "postfix $top_of"
primes= ; n=2; while [ $n -lt 60 ]; do
    for p in $primes; do [ $((n % p)) -eq 0 ] && { n=$((n + 1)); continue 2; }; done
    primes="$primes $n"; n=$((n + 1))
done; echo "primes$primes"
producer() { for x in 1 2 3 4 5; do echo "item $x"; done; }
consumer() { count=0; while read -r kind number; do count=$((count + number)); done; echo "sum $count"; }
producer | sed 's/item/ITEM/' | consumer
collatz() { x=$1 steps=0; while [ $x -ne 1 ]; do [ $((x % 2)) -eq 0 ] && x=$((x / 2)) || x=$((3 * x + 1)); steps=$((steps + 1)); done; echo $steps; }
for x in 6 27 97; do printf '%s:%s ' $x "$(collatz $x)"; done; echo
sh -c 'trap "hits=x\$hits" USR1; hits=; (sleep 0.1; kill -USR1 $$; sleep 0.3; kill -USR1 $$) &
while [ "$hits" != xx ]; do sleep 0.05; done; wait; echo "hits $hits"'
while IFS=: read -r user pass uid rest; do echo "user $user uid $uid"; done <<END
root:x:0:0
nobody:x:65534:65534
END

section "environment"
env -i ONE=1 TWO=2 env | sort; export EXPORTED=yes; sh -c 'echo "$EXPORTED ${PRIVATE-unset}"'; A=temp sh -c 'echo $A'; echo "${A-not kept}"
cd /; pwd; cd /tmp/../tmp; pwd; cd "$top/tree/a"; cd ../copied; pwd | sed "s|$top|TOP|"; cd "$top"
id -u; umask; umask 077; echo x > private; ls -l private | cut -c1-10; [ -c /dev/null ] && [ -r /proc/self/stat ] && echo "devices and proc"
cat /proc/self/comm; tr '\0' ' ' < /proc/self/cmdline; echo; (read -r self rest < /proc/self/stat; [ -n "$self" ] && echo "stat read")
exit 0
