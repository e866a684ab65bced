# Makes the database cluster where there is none, brings one that is there into the state that a start needs, and says at its end
# which server it is, of which major version, and how far its log was written. ROOT is for tests.
set -eu
root="${ROOT:-}"
data="$root/data/postgres"
password="$root/credentials/superuser"
known="$root/ledger/postgres-server"

# Debian's packages keep the programs here; the official image has them in PATH as well.
for directory in "$root"/usr/lib/postgresql/*/bin; do
    [ -d "$directory" ] && PATH="$directory:$PATH"
done
major="$(postgres --version | sed 's/^[^0-9]*\([0-9]*\).*$/\1/')"

refuse() {
    echo "$1" >&2
    exit 1
}

only_one "$root/data/lock"

if [ -s "$data/PG_VERSION" ]; then
    found="$(cat "$data/PG_VERSION")"
    [ "$found" = "$major" ] ||
        refuse "The volume holds data of PostgreSQL $found and the image is of PostgreSQL $major. Name an image of $found, or bring the data over with pg_dump and pg_restore."
    # A volume that was restored or mounted anew is opened to its group, and PostgreSQL refuses that.
    chmod u=rwx,go=,g-s "$data"
    # Of a server that its node took with it: nobody works here, and by its process number it would be taken for one that runs.
    rm -f "$data/postmaster.pid"
    # Whatever was done to its Secret. Backslash and quote are all that a string has to escape: no password has two lines.
    escaped="$(sed 's/[\\'\'']/\\&/g' "$password")"
    said="$(printf "ALTER ROLE postgres PASSWORD E'%s'\n" "$escaped" |
        postgres --single -D "$data" -c config_file="$data/postgresql.conf" -c shared_buffers=32MB -c log_min_messages=error \
            -c log_statement=none -c log_min_error_statement=panic postgres 2>&1)" || refuse "$said"
    # What it says of a statement that it can not read is a part of the statement.
    case "$said" in *ERROR:*) refuse "The password of the superuser could not be set: it has to be one line of text." ;; esac
else
    if [ -s "$known" ]; then
        refuse "The volume is empty, and the ledger says that this stack's data is in the server $(cat "$known"). Give back the volume it belongs to; or, to begin anew with an empty shop, delete the stack's ledger ConfigMap and then this pod."
    fi
    # An initdb that is cut short leaves half a cluster, so it works beside and the result moves in one step.
    rm -rf "$data.new"
    initdb --pgdata="$data.new" --username=postgres --pwfile="$password" \
        --auth-local=peer --auth-host=scram-sha-256 --data-checksums \
        --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8
    mv "$data.new" "$data"
fi
control="$(LC_ALL=C pg_controldata --pgdata="$data")"
identifier="$(echo "$control" | sed -n 's/^Database system identifier: *//p')"
# Each start writes, so it grows from one to the next, unless the volume was put back.
position="$(echo "$control" | sed -n 's/^Latest checkpoint location: *//p')"
printf '%s %s %s' "$identifier" "$major" "$position" >"$root/dev/termination-log"
