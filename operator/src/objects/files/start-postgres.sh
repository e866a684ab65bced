# Starts the server. ROOT is for tests.
set -eu
root="${ROOT:-}"
only_one "$root/data/lock"
# Debian's packages keep the programs here; the official image has them in PATH as well.
for directory in "$root"/usr/lib/postgresql/*/bin; do
    [ -d "$directory" ] && PATH="$directory:$PATH"
done
exec postgres --config_file="$root/etc/ecommerce/postgres/postgresql.conf"
