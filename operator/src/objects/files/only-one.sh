# One server at a time: a pod that was deleted by force may still run when the next one begins. The lock is held by whoever has the
# file open, over exec and with all its children, and goes with them. A server that ends takes a while; who gives up at once is
# started again ever later.
only_one() {
    exec 9>>"$1"
    waited=0
    until flock -n 9; do
        if [ "$waited" -ge 60 ]; then
            echo "Another server still works on this volume. It is waited for." >&2
            exit 1
        fi
        waited=$((waited + 1))
        sleep 1
    done
}
