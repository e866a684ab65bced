# Starts Redis. A log that a node's death has damaged is cut back to what can be read, or put aside: it holds sessions and a cache,
# and what PostgreSQL holds says who is out. ROOT is for tests.
set -eu
root="${ROOT:-}"
only_one "$root/data/lock"
log="$root/data/appendonlydir"
manifest="$log/appendonly.aof.manifest"

# The check reads what the manifest names and takes anything else for a log of one file.
names_files() {
    [ -s "$manifest" ] && ! grep -qv '^file ' "$manifest" || return 1
    sed 's/^file \([^ ]*\) .*$/\1/' "$manifest" | while read -r file; do
        [ -e "$log/$file" ] || return 1
    done
}

is_sound() {
    names_files && redis-check-aof "$manifest" >/dev/null 2>&1
}

if [ -e "$manifest" ] && ! is_sound; then
    echo "The append-only log is damaged and is cut back to what can be read." >&2
    if ! names_files || ! yes | redis-check-aof --fix "$manifest" >&2 || ! is_sound; then
        echo "It can not be: it is put aside as $log.damaged, and Redis begins anew." >&2
        rm -rf "$log.damaged"
        mv "$log" "$log.damaged"
    fi
fi
exec redis-server "$root/etc/ecommerce/redis/redis.conf"
