# Makes the database cluster where there is none, and refuses one that another major version made.
set -eu
PATH="/usr/lib/postgresql/17/bin:$PATH"
data=/data/postgres

if [ -s "$data/PG_VERSION" ]; then
    found="$(cat "$data/PG_VERSION")"
    if [ "$found" != 17 ]; then
        echo "The volume holds data of PostgreSQL $found and this stack runs 17. Bring the data over with pg_dump and pg_restore, or give back the volume it belongs to." >&2
        exit 1
    fi
    exit 0
fi

# An initdb that is cut short leaves half a cluster, so it works beside and the result moves in one step.
rm -rf "$data.new"
initdb --pgdata="$data.new" --username=postgres --pwfile=/credentials/superuser \
    --auth-local=peer --auth-host=scram-sha-256 --data-checksums \
    --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8
mv "$data.new" "$data"
