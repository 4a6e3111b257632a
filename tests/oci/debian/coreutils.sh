# coreutils: nearly every program of the package, each with several options.
export LC_ALL=C TZ=UTC
mkdir -p /tmp/c && cd /tmp/c
exec 2>&1
say() { printf '== %s\n' "$*"; }
umask 022

say text
seq 10 >n; printf 'b 2\na 10\nc 1\na 2\n' >t; printf 'x:y:z\n1:2:3\n' >d; head -c 3000 /dev/zero | tr '\0' 'q' >q
cat -A t; cat -n n | head -3; tac n | head -2; nl -ba -w3 t; head -n -7 n; head -c 5 t; tail -n 2 n; tail -n +9 n; tail -c 4 t
sort t; sort -k2n t; sort -u -k1,1 t; sort -r t; sort -R t | wc -l; sort -c t; sort -z t | wc -c; sort -s -k1,1 t; sort --parallel=4 -S 1M -n n | tail -1
sort -m n n | uniq -c | head -2; uniq -d <(printf 'a\na\nb\n'); uniq -u <(printf 'a\na\nb\n'); comm <(printf '1\n2\n') <(printf '2\n3\n')
cut -d: -f2- d; cut -c1-3 d; paste n n | head -2; paste -s -d, n; join <(sort t) <(printf 'a A\nb B\n'); tr -d aeiou <t; tr -s q <q; echo
fold -w 1000 q | wc -l; fmt -w 20 <<<"a few words that are to be laid out again in lines"; pr -l 20 -h title -D date n | head -8; expand -t 4 <<<"a	b"; unexpand -a <<<"a        b"
wc n t q; wc -L q; split -n 3 -d n part.; ls part.*; cat part.* | cmp - n; split -l 4 --additional-suffix=.x n s.; ls s.*; csplit -s n 4 '{1}'; wc -l xx*; seq -w 8 11; seq -s, 1 .5 3
shuf -i 1-100 -n 100 | sort -n | md5sum; shuf -e a b c | sort | paste -sd,; ptx -f <<<"one two three" | head -3; tsort <<<"a b b c"; od -c t | head -3; od -An -tx1 -N 8 t; hexdump -C t | head -2
base64 t; base64 t | base64 -d | cmp - t; base32 t; basenc --base16 t; md5sum t; sha1sum t; sha256sum t; sha512sum t | cut -c1-32; b2sum t | cut -c1-32; cksum t; sum t; sha256sum t >sums; sha256sum -c sums
numfmt --to=iec 1048576 12345; factor 1234567890 97; expr 3 + 4 \* 2; expr match abcabc 'a.c'; echo 'scale=20; 4*a(1)' | bc -l; echo -e 'a\tb\x41'; printf '%s-%d\n' a 1 b 2

say files
mkdir -p a/b/c a/d; mkdir -m 700 m; echo data >a/f; cp a/f a/g; cp -r a copy; cp -a a/. other; cp -l a/f a/hard; cp -s "$PWD/a/f" a/soft; cp -u a/f a/g; cp --parents a/f m; find . -newer n -type d | sort
cp -v --backup=numbered a/f a/g; ls a; cp nothing here; cp a dir; cp --sparse=always q sparse; cmp q sparse; cp --reflink=auto q reflinked; cmp q reflinked; install -m 640 -D t inst/deep/t; stat -c '%a %n' inst/deep/t
mv a/g a/moved; mv -n a/f a/moved; mv -T copy renamed; mv a/moved /dev/shm/moved; cat /dev/shm/moved; mv /dev/shm/moved back; mv nothing x; mv a a/b; ln -s a/f sl; ln -sfn a sl; readlink sl; ln -r -s a/b/c rel; readlink rel; ln a/f x1; ln a x2; ln nothing x3
readlink -f sl/b/../f; readlink -e nothing; realpath --relative-to=/tmp sl; basename /x/y.c .c; dirname /x/y.c; pathchk -p 'a b'; mktemp -u XXXX | wc -c; t=$(mktemp -d); stat -c %a "$t"; rmdir "$t"; mktemp /nonexistent/XXXXXX
ls -1 a; ls -A; ls -l a | awk '{print $1, $2, $3, $4, $5, $NF}'; ls -lR renamed | awk '{print $1, $NF}'; ls -i a/f | wc -l; ls -d a*; ls -S | head -3; ls -F; ls --color=always -d a | od -c | head -2; ls nothing; ls -la --time-style=+%Y a/f | awk '{print $1,$2,$5,$6>2000,$7}'; ls -Z a/f; dir a; vdir a | wc -l
touch -d '2001-02-03 04:05:06.789' old; stat -c '%y %Y' old; touch -r old new; stat -c %y new; touch -a -d @0 old; stat -c '%x %y' old; touch -c none; ls none; date -r new +%s; touch -h -d @5 sl; stat -c %Y sl
stat -c '%n %s %b %B %F %h %u %g %U %G %a %A %t' t sl a /dev/null; stat -f -c '%S %l' /tmp; stat nothing; chmod -v 600 t; chmod u+x,g=r,o-rwx t; stat -c %a t; chmod -R go-rwx renamed; chmod 4755 t; stat -c %A t; chmod +t m; stat -c %A m; chmod nonsense t; chmod 644 nothing
chown 1000:1000 t; stat -c '%u %g' t; chown nobody t; stat -c %U t; chgrp users t; stat -c %G t; chown -h 5 sl; stat -c %u sl; chown -R 0:0 a; chown root:root t
truncate -s 10000 tr; stat -c '%s %b' tr; truncate -s -1 tr; truncate -s %4096 tr; stat -c %s tr; fallocate -l 100000 fa; stat -c %s fa; fallocate -p -o 0 -l 8192 fa; dd if=n of=o bs=3 count=2 skip=1 seek=2 conv=notrunc status=none; od -c o; dd if=/dev/zero bs=1k count=100 status=none | wc -c; dd if=n of=up conv=ucase,sync bs=16 status=none; wc -c up; dd if=nothing; dd if=n bs=4 count=1 iflag=fullblock 2>&1 | grep records; dd if=/dev/zero of=direct bs=4096 count=2 oflag=sync status=none; sync; sync -d t; shred -n1 -z -u up; ls up
du -b n t; du -sb a | cut -f2; du --apparent-size -k q; du -a renamed | cut -f2 | sort; df /tmp | head -1; df --output=target /tmp; df -i /tmp | wc -l; mkfifo ff; mknod nn p; mknod cc c 1 3; stat -c '%F %t,%T' ff nn cc; echo x >cc; unlink ff; rm nn cc; rm nothing; rm a; rmdir a; rmdir -p inst/deep; rm -r inst; rm -rfv renamed | sort; rm -f nothing; echo $?; link n hl; stat -c %h n; chroot / true; echo $?
find a -printf '%P %y %d %m\n' | sort; find . -maxdepth 1 -empty | sort; find . -name '*.x' -exec wc -l {} + | sort; find . -name 's.*' -delete; find . -size +2k -type f | sort; find / -xdev -maxdepth 1 -type d | sort; find a -perm -u+x -print0 | xargs -0 -n1 echo | sort; find nowhere; find . -inum "$(stat -c %i n)" | sort; find a -links +1 -type f | sort; find . -newermt 2001-01-01 -name t; find . -user root -name n
dircolors -b | wc -l; tee t1 t2 <<<teed | cat; cat t1 t2; tee /dev/full <<<x; echo $?; tee -a t1 <<<more >/dev/null; cat t1

say processes and the system
echo "$(whoami) $(id -un) $(id -G) $(groups) $(logname 2>&1) $(hostname) $(uname -s) $(uname -m) $(arch) $(nproc --all) $(tty)"; id nobody; users; who; pinky | wc -l; hostid | wc -c
env -i A=b env; env -u HOME printenv HOME; echo $?; printenv LC_ALL; nice; nice -n 5 nice; nice -n 19 nice -n 5 nice; nohup echo nohup </dev/null; timeout 0.1 sleep 3; echo $?; timeout -k 0.1 0.1 sh -c 'trap "" TERM; while :; do sleep 0.02; done'; echo $?; timeout --preserve-status 0.1 sleep 4; echo $?; timeout 1 sh -c 'exit 5'; echo $?; timeout --foreground 0.1 sleep 3; echo $?
stdbuf -oL echo buffered; stdbuf -o0 tr a b <<<aaa; sleep 0.01s; sleep x; true; echo $?; false; echo $?; test 1 -lt 2 -a -e n; echo $?; [ -d a ]; echo $?; yes no | head -2; kill -0 $$; echo $?; kill -l TERM; kill 99999; kill -s NOPE 1
date -d @1234567890; date -u -d '2024-02-29 +1 year' +%F; date -d 'yesterday noon' +%H; date +%N | wc -c; date -R -d @0; date --iso-8601=ns -d @1.5; date -s '2000-01-01' >/dev/null; echo $?; uptime | grep -c load; cal 2>/dev/null | wc -l
runcon true; echo $?; setsid echo session; flock lockf echo locked; (flock -n 9 || echo busy; echo inner) 9>lockf; flock lockf sh -c 'flock -n lockf true; echo $?'; ionice -c2 -n3 echo io; taskset -c 0 echo pinned; taskset -p $$ | grep -c mask; setpriv --reuid=1000 --clear-groups id -u; prlimit --nofile --noheadings -o SOFT; prlimit --nproc=200 --core=0 true; getopt -o ab: -- -a -b 1 c; rev <<<abc; column -t t; look nothing; namei -m /tmp/c/sl | tail -3; mountpoint /proc; mountpoint /usr; findmnt -n -o FSTYPE /tmp; lsipc >/dev/null; echo $?; mcookie | wc -c; uuidgen | wc -c; cmp n t; diff n t | head -3; diff -u n <(seq 2 11) | tail -n +3; diff3 n n t | wc -l; sdiff -s <(echo a) <(echo b); truncate -s 0 n; cmp n /dev/null && echo emptied
