# PostgreSQL as its own user: initdb, TCP and path, pgbench with several clients, a crash and its recovery, locks, LISTEN, COPY.
exec 2>&1
export LC_ALL=C PGDATA=/var/lib/postgresql/data PGHOST=127.0.0.1 PGUSER=postgres
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
mkdir -p /var/run/postgresql && chown postgres: /var/run/postgresql && cd /var/lib/postgresql
as() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
start() { as pg_ctl -w -t 120 -s -l /var/lib/postgresql/log start || { cat log; exit 1; }; }
as initdb -A trust --locale C -E UTF8 | grep -vE '^(creating|performing|syncing|fixing|selecting|$)' | grep -iE 'fatal|error|failed|owned by'
echo "listen_addresses = '127.0.0.1, ::1'" >>"$PGDATA/postgresql.conf"
start
psql -Atc 'select 6 * 7'; psql -h ::1 -Atc 'select family(inet_client_addr())'; psql -h /var/run/postgresql -Atc 'select inet_client_addr() is null'
psql -q <<'END'
create table t (id serial primary key, name text unique, number numeric);
insert into t (name, number) select 'n' || n, n * 1.5 from generate_series(1, 5000) n;
create index on t (number);
analyze t;
END
psql -Atc 'select count(*), sum(number), max(name) from t'; psql -Atc "insert into t (name) values ('n1')"; psql -Atc 'select nothing'
psql -Atc '\copy t to /tmp/copied'; wc -l </tmp/copied; psql -Atc 'create table u (like t)' -c '\copy u from /tmp/copied' -c 'select count(*) from u'
psql -Atc 'set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; select count(*) from t a join u b using (name) where a.number = b.number'
psql -Atc 'set statement_timeout = 200; select pg_sleep(20)'; psql -Atc 'listen news; notify news, $$hello$$; select 1' | sed 's/PID [0-9]*/PID N/'
psql -Atc 'begin; select pg_advisory_lock(1); select pg_sleep(1)' >/dev/null & sleep 0.5; psql -Atc 'set lock_timeout = 100; select pg_advisory_lock(1)'; wait %%
pgbench -q -i -s 1 postgres 2>&1 | grep -c done
pgbench -n -c 4 -j 2 -t 50 postgres | grep -E 'clients|threads|processed|failed'
pgbench -n -S -h /var/run/postgresql -c 4 -j 2 -t 100 -M prepared postgres | grep -E 'mode|processed|failed'
psql -Atc 'select count(*) from pgbench_history'; psql -Atc 'select sum(abalance) = (select sum(tbalance) from pgbench_tellers) from pgbench_accounts'
pg_dump -t t | grep -c '^[0-9]'; psql -Atc 'vacuum full t' -c 'checkpoint'
psql -Atc "insert into t (name) values ('before the crash')"
kill -9 "$(head -n 1 "$PGDATA/postmaster.pid")"; sleep 1
while pgrep -u postgres postgres >/dev/null; do sleep 0.1; done
start
grep -c 'not properly shut down' log; psql -Atc "select count(*) from t where name = 'before the crash'"
as pg_ctl -w -s -m fast stop; echo $?; pgrep -u postgres; ls "$PGDATA/postmaster.pid"; ls /dev/shm
