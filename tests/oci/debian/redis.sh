# redis-server on loopback and on a path: persistence by fork, pipelines, scripts, publishers, many clients, a restart.
exec 2>&1
export LC_ALL=C
mkdir -p /root/redis && cd /root/redis
start() {
    redis-server --port 6379 --bind 127.0.0.1 ::1 --unixsocket /root/redis/sock --dir /root/redis --appendonly yes --save '' --daemonize no --logfile log &
    server=$!
    for _ in $(seq 200); do redis-cli ping >/dev/null 2>&1 && return; sleep 0.05; done
    echo "no server"; cat log; exit 1
}
start
redis-cli ping; redis-cli -h ::1 ping; redis-cli -s /root/redis/sock ping
redis-cli set key value; redis-cli get key; redis-cli -s sock append key more; redis-cli strlen key
for n in $(seq 2000); do echo "set k$n $n"; done | redis-cli --pipe | tail -n 1
redis-cli dbsize; redis-cli eval 'local sum = 0 for n = 1, 2000 do sum = sum + redis.call("get", "k" .. n) end return sum' 0
redis-cli rpush list a b c; redis-cli lrange list 0 -1; (sleep 0.3; redis-cli rpush queue job) & redis-cli blpop queue 10; wait %%
timeout 20 redis-cli --csv subscribe news >heard & hearer=$!
for _ in $(seq 200); do [ "$(redis-cli publish news hello)" = 1 ] && break; sleep 0.05; done; sleep 0.2; kill "$hearer"; wait "$hearer"; cat heard
redis-benchmark -q -n 2000 -c 20 -P 4 -t set,get,lpush,mset --csv | cut -d, -f1
redis-benchmark -q -s sock -n 1000 -c 50 -t incr --csv | cut -d, -f1; redis-cli get counter:__rand_int__
redis-cli save; redis-cli bgsave; for _ in $(seq 200); do redis-cli info persistence | grep -q bgsave_in_progress:0 && break; sleep 0.05; done
redis-cli info persistence | tr -d '\r' | grep -E 'last_bgsave_status|aof_enabled'; redis-check-rdb dump.rdb | tail -n 1
redis-cli bgrewriteaof; for _ in $(seq 200); do redis-cli info persistence | grep -q aof_rewrite_in_progress:0 && break; sleep 0.05; done
redis-cli info persistence | tr -d '\r' | grep aof_last_bgrewrite_status
redis-cli client list | wc -l; redis-cli set gone soon px 50; sleep 0.2; redis-cli get gone
kill -9 "$server"; wait "$server"; echo $?
start
redis-cli get key; redis-cli dbsize; redis-cli get k1999
redis-cli shutdown; wait "$server"; echo $?; redis-cli ping; exit 0
