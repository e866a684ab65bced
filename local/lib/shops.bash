# shellcheck shell=bash
# A shop of its own, with orders, whose data goes somewhere else: it is backed up, deleted with everything, and restored; or it moves to the
# PostgreSQL of another. Nothing of it may be lost. For local/test; each of the first two functions is a check.

restored_shop_is_the_same() (
  in_a_shop_of_its_own backup Delete || return 1
  local/backup "${of_cluster[@]}" "$SHOP" "$SHOP_NAMESPACE" "$folder/backup" && rows >"$folder/after" &&
    diff "$folder/before" "$folder/after" || return 1
  # What comes after the backup is not in it; and over a shop with orders nothing is restored unasked.
  order_is_paid || return 1
  if local/restore "${of_cluster[@]}" "$SHOP" "$SHOP_NAMESPACE" "$folder/backup"; then
    echo "a shop with orders is overwritten"
    return 1
  fi
  local/restore "${of_cluster[@]}" --over "$SHOP" "$SHOP_NAMESPACE" "$folder/backup" && rows >"$folder/after" &&
    diff "$folder/before" "$folder/after" && order_is_paid || return 1
  in_its_namespace delete ecommercestack corner && wait_until 120 "everything of the shop is gone" nothing_is_left &&
    local/restore "${of_cluster[@]}" "$SHOP" "$SHOP_NAMESPACE" "$folder/backup" && rows >"$folder/after" &&
    diff "$folder/before" "$folder/after" && order_is_paid
)

# As the page says it, word for word; the other's PostgreSQL is that of the shop that everybody uses.
moved_shop_is_the_same() (
  local there=mover:of%20the%20mover@127.0.0.1 page=docs/operate/external-stores.md
  in_a_shop_of_its_own moved Retain && forget_mover && in_the_others psql -c "create role mover login createrole createdb password 'of the mover'" &&
    in_its_namespace create secret generic shop-postgres-server --from-literal=host=shop-postgres.default --from-literal=username=mover \
      --from-literal=password="of the mover" || return 1
  trap 'leave_shop; forget_mover' EXIT
  awk '/^## Move$/ { here = 1 } here && /^```$/ { exit } in_script { print } here && /^```sh$/ { in_script = 1 }' "$page" |
    sed "s|^stack=.*|stack=$SHOP namespace=$SHOP_NAMESPACE|; s|shop_provisioner@db.example.com|$there|" >"$folder/move" &&
    grep -q "stack=$SHOP" "$folder/move" && grep -q "$there" "$folder/move" || return 1
  as_a_person_does ./move && rows shop default "${SHOP_NAMESPACE}_${SHOP}_" >"$folder/after" && diff "$folder/before" "$folder/after" && order_is_paid
)

# As a person's shell runs it who has this cluster before them, and the other's PostgreSQL.
# shellcheck disable=SC2317 # called by the script
as_a_person_does() (
  kubectl() { command kubectl --context "$context" "$@"; }
  psql() { in_the_others psql "$@" </dev/null; }
  pg_restore() { in_the_others pg_restore "${@:1:$#-1}" <"${!#}"; }
  export -f kubectl psql pg_restore in_the_others && export context KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false
  cd "$folder" && bash "$@"
)

in_the_others() {
  kubectl --context "$context" --namespace default exec --stdin shop-postgres-0 --container postgres -- \
    env PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin PGHOST=/run/postgresql PGUSER=postgres "$@"
}

# What a move has left in the PostgreSQL of another, of this run or of one before.
forget_mover() {
  in_the_others psql --quiet --tuples-only --no-align <<<"
    select format('drop database %I with (force)', datname) from pg_database where datname like 'moved\\_%' \\gexec
    select format('drop role %I', rolname) from pg_roles where rolname like 'moved\\_%' or rolname = 'mover' order by rolname = 'mover' \\gexec"
}

# in_a_shop_of_its_own NAMESPACE POLICY opens one, has three orders paid, and keeps its rows in $folder/before; for a subshell, at whose end
# the shop goes.
in_a_shop_of_its_own() {
  export SHOP=corner SHOP_NAMESPACE=$1 SHOP_ADDRESS
  SHOP_ADDRESS=http://localhost:$(free_port 18100)
  folder=$(mktemp -d) forward="" of_cluster=(--kubeconfig "$KUBECONFIG" --context "$context")
  trap leave_shop EXIT
  kubectl --context "$context" create namespace "$SHOP_NAMESPACE" &&
    jq -n --arg policy "$2" '{apiVersion: "ecommercestack.dev/v1alpha1", kind: "EcommerceStack", metadata: {name: "corner"},
      spec: {deletionPolicy: $policy}}' | in_its_namespace apply --filename - &&
    in_its_namespace wait --for=condition=Ready ecommercestack/corner --timeout 300s || return 1
  for _ in 1 2 3; do order_is_paid || return 1; done
  rows >"$folder/before" && [ "$(grep -cE ',paid,[0-9]+,[A-Z]{3},' "$folder/before")" = 3 ]
}

leave_shop() {
  stop_forward
  in_its_namespace delete namespace "$SHOP_NAMESPACE" --timeout 120s
  rm -rf "$folder"
}

in_its_namespace() {
  kubectl --context "$context" --namespace "$SHOP_NAMESPACE" "$@"
}

# As the admin and as a customer, who log in with the passwords that they had before.
order_is_paid() {
  stop_forward
  # No function: that would be a shell, which is killed and leaves the other behind.
  kubectl --context "$context" --namespace "$SHOP_NAMESPACE" port-forward "service/$SHOP-gateway" "${SHOP_ADDRESS##*:}:8080" >/dev/null &
  forward=$!
  local/demo | grep paid
}

stop_forward() {
  [ -z "$forward" ] || { kill "$forward" && wait "$forward"; } 2>/dev/null || true
  forward=""
}

nothing_is_left() {
  [ -z "$(in_its_namespace get pods,pvc,secrets,configmaps,jobs --selector "ecommercestack.dev/stack=$SHOP" --output name)" ]
}

# rows [STACK NAMESPACE PREFIX]: orders, money on both sides of it, stock and people; every row of a table in one text. They are with the shop
# itself, or with this stack, in databases whose names begin so.
rows() (
  . "$root/local/lib/stacks.bash"
  kubectl_options=("${of_cluster[@]}") stack=${1:-$SHOP} namespace=${2:-$SHOP_NAMESPACE}
  read_databases "${3:-}"
  while read -r service tables; do
    for table in $tables; do
      echo "== $service $table" && sql "${databases[$service]}" <<<"select line::text from $table line order by 1" || exit 1
    done
  done <<'TABLES'
order orders order_skus open_orders order_history outbox
payment payments attempts open_attempts declines simulator.charges simulator.refunds outbox
product products stock stock_adjustments reservations reservations_let_go outbox
auth users
TABLES
)
