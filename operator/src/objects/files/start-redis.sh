# Starts Redis. A log that a node's death has damaged is cut back to what can be read, or put aside: it holds sessions and a cache,
# and what PostgreSQL holds says who is out. ROOT is for tests.
set -eu
root="${ROOT:-}"
log="$root/data/appendonlydir"
manifest="$log/appendonly.aof.manifest"

if [ -e "$manifest" ] && ! redis-check-aof "$manifest" >/dev/null 2>&1; then
    echo "The append-only log is damaged and is cut back to what can be read." >&2
    if ! yes | redis-check-aof --fix "$manifest" >&2 || ! redis-check-aof "$manifest" >/dev/null 2>&1; then
        echo "It can not be: it is put aside as $log.damaged, and Redis begins anew." >&2
        rm -rf "$log.damaged"
        mv "$log" "$log.damaged"
    fi
fi
exec redis-server "$root/etc/ecommerce/redis/redis.conf"
