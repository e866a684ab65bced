# shellcheck shell=bash
# A shop of its own is backed up, deleted with everything, and restored. For local/test; the function is a check.

restored_shop_is_the_same() (
  export SHOP=corner SHOP_NAMESPACE=backup SHOP_ADDRESS
  SHOP_ADDRESS=http://localhost:$(free_port 18100)
  folder=$(mktemp -d) forward="" of_cluster=(--kubeconfig "$KUBECONFIG" --context "$context")
  trap 'stop_forward; in_backup delete namespace "$SHOP_NAMESPACE" --timeout 120s; rm -rf "$folder"' EXIT
  kubectl --context "$context" create namespace "$SHOP_NAMESPACE" &&
    in_backup apply --filename - <<<'{"apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "metadata": {"name": "corner"},
      "spec": {"deletionPolicy": "Delete"}}' &&
    in_backup wait --for=condition=Ready ecommercestack/corner --timeout 300s || return 1
  for _ in 1 2 3; do order_is_paid || return 1; done
  rows >"$folder/before" && [ "$(grep -cE ',paid,[0-9]+,[A-Z]{3},' "$folder/before")" = 3 ] &&
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
  in_backup delete ecommercestack corner && wait_until 120 "everything of the shop is gone" nothing_is_left &&
    local/restore "${of_cluster[@]}" "$SHOP" "$SHOP_NAMESPACE" "$folder/backup" && rows >"$folder/after" &&
    diff "$folder/before" "$folder/after" && order_is_paid
)

in_backup() {
  kubectl --context "$context" --namespace "$SHOP_NAMESPACE" "$@"
}

# As the admin and as a customer, who log in with the passwords that they had before.
order_is_paid() {
  stop_forward
  in_backup port-forward "service/$SHOP-gateway" "${SHOP_ADDRESS##*:}:8080" >/dev/null &
  forward=$!
  local/demo | grep paid
}

stop_forward() {
  [ -z "$forward" ] || { kill "$forward" && wait "$forward"; } 2>/dev/null || true
  forward=""
}

nothing_is_left() {
  [ -z "$(in_backup get pods,pvc,secrets,configmaps,jobs --selector "ecommercestack.dev/stack=$SHOP" --output name)" ]
}

# Orders, money on both sides of it, stock and people; every row of a table in one text.
rows() (
  . "$root/local/lib/stacks.bash"
  kubectl_options=("${of_cluster[@]}") stack=$SHOP namespace=$SHOP_NAMESPACE
  read_databases
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
