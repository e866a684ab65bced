# shellcheck shell=bash
# A shop on three of each store that follow one another, as charts/examples/distributed/ has them, and what becomes of its orders when those
# that lead are killed. For local/prove; the first function is a check.

# shop_outlives_those_that_lead TIMES kills the leader of each store so often, with SIGKILL, and wants an order paid within $flow_again seconds.
shop_outlives_those_that_lead() (
  export SHOP=shop SHOP_NAMESPACE=distributed SHOP_ADDRESS
  SHOP_ADDRESS=http://localhost:$(free_port 18100)
  local example=charts/examples/distributed flow_again=30 round store seconds=()
  folder=$(mktemp -d) forward=""
  : >"$folder/paid"
  trap leave_shop EXIT
  bring_patroni && kubectl --context "$context" apply --filename "$example/namespace.yaml" &&
    { in_its_namespace get secret postgres-tls || "$example/certificates.sh" "$SHOP_NAMESPACE" --context "$context"; } && kubectl --context "$context" apply --kustomize "$example" &&
    in_its_namespace wait --for=condition=Ready ecommercestack/shop --timeout 600s || return 1
  kubectl --context "$context" --namespace "$SHOP_NAMESPACE" port-forward service/shop-gateway "${SHOP_ADDRESS##*:}:8080" >/dev/null &
  forward=$!
  one_more_is_paid || one_more_is_paid || return 1
  for ((round = 0; round < $1; round++)); do
    for store in postgres rabbitmq redis; do
      wait_until 300 "all of $store are ready" are_ready "$store" && kill_leader "$store" && flows_again || return 1
    done
    echo "figure: seconds until an order was paid after the leader of PostgreSQL, RabbitMQ and Redis was killed, $((round + 1)) =${seconds[*]}"
    seconds=()
  done
  are_ready postgres && books_agree
)

# The one image that no registry has, under the name that the example gives it.
bring_patroni() {
  local image
  image=$(local/offline/store patroni) && docker save "$image" | docker exec --interactive "$node" ctr --namespace k8s.io images import - &&
    in_containerd images tag --force "docker.io/$image" docker.io/ecommerce-stack/patroni:17
}

one_more_is_paid() {
  timeout 20 local/demo | sed -n 's/^Order \(.*\) is paid\.$/\1/p' >"$folder/order" && [ -s "$folder/order" ] && cat "$folder/order" >>"$folder/paid"
}

are_ready() {
  in_its_namespace rollout status "statefulset/$1" --timeout 5s && case $1 in
    # A standby in step, or a failover would wait for the leader.
    postgres) in_its_namespace exec "$(leader postgres)" -- psql -h /run/postgresql -U postgres -Atc "select 1 from pg_stat_replication where sync_state in ('sync', 'quorum')" | grep -q 1 ;;
    *) true ;;
  esac
}

# Prints the pod that leads.
leader() {
  case $1 in
    postgres) in_its_namespace get pods --selector role=primary --output jsonpath='{.items[0].metadata.name}' ;;
    rabbitmq)
      in_its_namespace exec rabbitmq-0 -- rabbitmqctl --quiet list_queues --vhost "$(vhost)" name leader | awk '$1 == "order" { print $2 }' |
        grep -o 'rabbitmq-[0-9]'
      ;;
    redis) in_its_namespace exec redis-0 --container sentinel -- redis-cli -p 26379 sentinel get-master-addr-by-name shop | grep -o 'redis-[0-9]' ;;
  esac
}

vhost() {
  in_its_namespace exec rabbitmq-0 -- rabbitmqctl --quiet list_vhosts --no-table-headers | grep -v '^/$'
}

kill_leader() {
  local pod container
  pod=$(leader "$1") && [ -n "$pod" ] || return 1
  # Those of before are still listed, and have no task.
  for container in $(in_containerd containers list --quiet "labels.\"io.kubernetes.pod.namespace\"==$SHOP_NAMESPACE,labels.\"io.kubernetes.pod.name\"==$pod,labels.\"io.kubernetes.container.name\"==$1"); do
    ! in_containerd tasks kill --signal SIGKILL "$container" || { echo "killed $pod"; return 0; }
  done
  return 1
}

in_containerd() {
  docker exec "$node" ctr --namespace k8s.io "$@"
}

flows_again() {
  local began=${EPOCHREALTIME/./}
  until one_more_is_paid; do
    [ $((${EPOCHREALTIME/./} - began)) -lt $((flow_again * 1000000)) ] || { echo "no order was paid within $flow_again s"; return 1; }
  done
  seconds+=(" $(awk -v microseconds=$((${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.1f", microseconds / 1e6 }')")
}

# Every order that was said to be paid is, nobody has paid twice, and what is gone from the shelf is what was sold.
books_agree() {
  local said paid
  said=$(sort -u "$folder/paid" | wc -l)
  paid=$(in_database order "select count(*) from orders where status = 'paid' and id = any('{$(paste -sd, "$folder/paid")}')")
  echo "figure: orders that were said to be paid while leaders were killed, and that are = $said, $paid"
  [ "$said" = "$paid" ] &&
    [ "$(in_database payment "select count(*) from (select payment_id from attempts join simulator.charges on charges.key = attempts.id::text
      and charges.status = 'captured' group by payment_id having count(*) > 1) as twice")" = 0 ] &&
    [ "$(in_database product "select 1000 - on_hand from stock join products on id = product_id where sku = 'DEMO-MUG-WHITE'")" = \
      "$(in_database order "select sum((line->>'quantity')::int) from orders, jsonb_array_elements(lines) as line where status = 'paid'")" ]
}

in_database() {
  in_its_namespace exec "$(leader postgres)" -- sh -c 'exec psql -h /run/postgresql -U postgres -At -d "$(psql -h /run/postgresql -U postgres -At -d postgres \
    -c "select datname from pg_database where datname like '"'%\\\\_$1'"'")" -c "$2"' sh "$1" "$2"
}
