# tar, gzip, bzip2, xz, zstd, zip and cpio-like round trips, with links, holes, times, modes and pipes.
exec 2>&1
export LC_ALL=C TZ=UTC
mkdir -p /tmp/ar/src/d/e && cd /tmp/ar
for n in $(seq 1 40); do seq "$n" "$((n * 100))" >"src/d/f$n"; done
ln -s d/f1 src/link; ln src/d/f1 src/hard; mkfifo src/fifo; truncate -s 5M src/holes; printf x | dd of=src/holes bs=1 seek=3M conv=notrunc status=none; chmod 4750 src/d/f2; touch -d @1000000000 src/d/f3; chown 12:34 src/d/f4; ln -s dangling src/bad; touch "src/a name with spaces"; : >src/empty; head -c 3000000 /dev/urandom >src/random
listing() { (cd "$1" && find . -printf '%P %y %m %U %G %s %l %n\n' | sed 's/^\(d\|\) d \([^ ]*\) \(.*\) [0-9]* /\1 d \2 \3 /' | grep -v ' d ' | sort); }
listing src | md5sum; listing src | head -n 8
for z in '' --gzip --bzip2 --xz --zstd; do tar -c $z -f a.tar src && mkdir out && tar -x $z -p -f a.tar -C out && diff <(listing src) <(listing out/src) && cmp src/random out/src/random && echo "same $z"; rm -rf out; done
tar -cSf sparse.tar src && mkdir out && tar -xSf sparse.tar -C out && cmp src/holes out/src/holes && [ "$(stat -c %b out/src/holes)" -lt 1000 ] && echo sparse; stat -c %Y out/src/d/f3; rm -rf out
tar -cf - -C src d | (mkdir out && tar -xf - -C out); ls out/d | wc -l; tar --exclude='*3' -cf - src/d | tar -tf - | wc -l; tar -tvf sparse.tar | grep -c -- '->'; tar -rf sparse.tar a.tar; tar -uf sparse.tar a.tar; tar -df sparse.tar src; echo $?; tar --delete -f sparse.tar a.tar; tar -tf sparse.tar | sort | tail -n 1; tar -xOf sparse.tar src/d/f5 | md5sum; tar -xf nothing.tar; echo $?; echo junk | tar -x; echo $?; tar -g snapshot -cf inc0.tar src; echo new >src/new; tar -g snapshot -cf inc1.tar src; tar -tf inc1.tar | grep -c -v '/$'; tar --transform 's,^src,dst,' -cf - src/d | tar -tf - | head -n 1; tar --remove-files -cf moved.tar out; ls out; tar -cf - src | tar --to-command='wc -c' -x | sort -n | tail -n 1
for p in gzip bzip2 xz zstd lz4; do command -v $p >/dev/null || continue; for l in 1 9; do $p -$l -c <src/d/f40 >z && $p -dc <z | cmp - src/d/f40 && echo "$p -$l"; done; head -c 100 z | $p -dc >/dev/null 2>&1; echo "cut off: $(($? != 0))"; cp src/d/f40 w; $p -q w; ls w*; rm -f w*; done
xz -T2 -k -c src/random | xz -dc | cmp - src/random && echo threads; zcat <(gzip -c src/d/f7) | md5sum; gzip -l <(gzip -c src/d/f7) >/dev/null; zgrep -c 77 <(gzip -c src/d/f7); gzip -t src/d/f1; echo $?; cp src/d/f9 k; touch -d @5 k; gzip k; stat -c %Y k.gz; gunzip k.gz; stat -c %Y k
zip -qr a.zip src -x src/fifo; unzip -q a.zip -d un; diff -r --exclude=fifo src un/src && echo zip; unzip -l a.zip | tail -n 1 | awk '{print $2}'; zip -d -q a.zip 'src/d/*'; unzip -tq a.zip; unzip -p a.zip src/new
