# rsync: local copies, deltas, deletions, links, sparse files, times, dry runs, filters; local:// through its own pipes.
exec 2>&1
export LC_ALL=C
mkdir -p /tmp/rs/a/sub && cd /tmp/rs
for n in $(seq 1 50); do seq "$n" $((n * 50)) >"a/f$n"; done; ln -s f1 a/link; ln a/f2 a/hard; chmod 600 a/f3; touch -d @1000000000 a/f4; head -c 2000000 /dev/urandom >a/sub/big; truncate -s 1M a/sub/sparse; chown 5:6 a/f5; mkdir a/empty
# Links and folders of the same second count as up to date, and so would changes: every time is set.
find a -newermt @1000000001 -exec touch -h -d @1100000000.123456789 {} +
rsync -aH a/ b; diff -r a b && echo same; find b -printf '%P %m %U %G %T@ %l %n\n' | sort | diff - <(cd a && find . -printf '%P %m %U %G %T@ %l %n\n' | sort) && echo attributes
rsync -aH --itemize-changes a/ b; echo again; echo changed >>a/f7; rm a/f8; printf X | dd of=a/sub/big bs=1 seek=1000000 conv=notrunc status=none; touch -d @1200000000.5 a/f7 a/sub/big; touch -d @1200000001 a
rsync -aH -n --delete -i a/ b; rsync -aHi --delete --no-whole-file a/ b; cmp a/sub/big b/sub/big && echo delta; rsync -a --delete --checksum a/ b; diff -r a b && echo same
rsync -a --exclude='f*' --include='*/' a/ c; find c | sort; rsync -aS a/sub/ d; cmp a/sub/sparse d/sparse; rsync -a --link-dest=../b a/ e; stat -c %h e/f9; rsync -a --backup --suffix=.old a/f7 b/f9; rsync -aR a/sub/./big f; find f; rsync nothing x; echo $?; rsync -a --inplace --append-verify a/sub/big b/sub/big; rsync -a --files-from=<(printf 'f1\nsub/big\n') a/ g; find g | sort; rsync -a --max-size=100 a/ h; find h -type f | wc -l; rsync --list-only a/f1 | awk '{print $1, $2, $5}'; rsync -a --partial --remove-source-files a/ i; find a -type f; find i -type f | wc -l; rsync -az --compress-level=9 --stats i/ j | grep 'Number of files'
