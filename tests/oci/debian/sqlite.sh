# sqlite3: tables, transactions, both journals, writers in several processes, WAL's shared memory, backup, integrity.
exec 2>&1
mkdir -p "${1:-/tmp/sqlite}" && cd "${1:-/tmp/sqlite}"
sqlite3 --version | cut -d' ' -f1
sqlite3 a.db <<'END'
create table t (id integer primary key, name text, n real); create index i on t (name);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x, 'name ' || (x * 7919 % 10007), x / 3.0 from c;
select count(*), min(name), max(name), round(sum(n), 3) from t; begin; delete from t where id % 3 = 0; select count(*) from t; rollback; select count(*) from t;
update t set name = upper(name) where id < 100; select * from t where id in (1, 99, 100); vacuum; pragma integrity_check; pragma journal_mode;
create virtual table f using fts5(body); insert into f values ('the quick brown fox'), ('a lazy dog'); select body from f where f match 'fox'; explain query plan select * from t where name = 'x';
select json_extract('{"a":[1,2,{"b":3}]}', '$.a[2].b'); insert into t values (1, 'x', 1);
END
sqlite3 wal.db 'pragma journal_mode=wal; create table t (w int, x int);'
for w in 1 2 3; do
    (for x in $(seq 1 40); do sqlite3 -cmd '.timeout 60000' wal.db "insert into t values ($w, $x);"; done) &
done
wait
sqlite3 wal.db 'select w, count(*), sum(x) from t group by w; pragma wal_checkpoint(truncate); pragma integrity_check;'
for w in 1 2 3; do (sqlite3 -cmd '.timeout 60000' a.db "begin immediate; update t set n = n + 1 where id <= 50; commit;") & done; wait
sqlite3 a.db 'select sum(n) from t where id <= 50; pragma mmap_size=10000000; select count(distinct name) from t;' ".backup b.db"
sqlite3 b.db 'pragma integrity_check; pragma journal_mode=truncate; insert into t (name) values (1); pragma journal_mode=persist; insert into t (name) values (2); select count(*) from t;' '.dump' | md5sum
mkfifo hold; (sqlite3 a.db 'begin exclusive;' '.shell cat hold' 'commit;') & sleep 0.3; sqlite3 a.db 'select 1 from t limit 1;'; echo "busy $?"; echo >hold; wait; sqlite3 a.db 'select 1 from t limit 1;'
sqlite3 -csv a.db 'select id, name from t limit 3' >x.csv; sqlite3 :memory: '.mode csv' '.import x.csv y' 'select count(*) from y'; ls | sort | paste -sd' '
python3 - <<'END'
import sqlite3, threading
db = sqlite3.connect('py.db', check_same_thread=False, timeout=30); db.execute('create table t (x)'); lock = threading.Lock()
def add(n):
    own = sqlite3.connect('py.db', timeout=60)
    for i in range(15):
        with own: own.execute('insert into t values (?)', (n * 100 + i,))
many = [threading.Thread(target=add, args=(n,)) for n in range(4)]; [t.start() for t in many]; [t.join() for t in many]
print(db.execute('select count(*), sum(x) from t').fetchone())
END
