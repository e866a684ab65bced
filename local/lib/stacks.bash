# shellcheck shell=bash disable=SC2154
# One stack of any cluster: read, closed and opened again. For local/backup and local/restore, which set `stack`, `namespace` and
# `kubectl_options`. Needs kubectl and jq, and of the cluster what a person who looks after a stack may do: exec in its pods, too.

with_database=(auth product order payment)
writers=(order payment product auth) # in the order in which they stop; the gateway goes before them and comes after them
with_outbox=(order payment product)

# A connection that is lost without a word would keep the shop closed: whatever takes more than `limit` seconds is given up.
kube() {
  timeout --foreground "${limit:-60}" kubectl "${kubectl_options[@]}" --namespace "$namespace" "$@"
}

read_stack() {
  kube get ecommercestack "$stack" --output json
}

# condition_is TYPE STATUS of the present generation.
condition_is() {
  read_stack | jq -e --arg type "$1" --arg status "$2" '
    .metadata.generation as $generation
    | any(.status.conditions[]?; .type == $type and .status == $status and .observedGeneration == $generation)' >/dev/null
}

# await_open SECONDS waits until all parts are there, and says what the stack says meanwhile. A stack may have something to be mended
# that has nothing to do with us, and is not Ready then.
await_open() {
  local deadline=$((SECONDS + $1)) said="" now
  until condition_is BackendsReady True && condition_is Migrated True && condition_is ServicesReady True; do
    now=$(says Ready)
    [ -z "$now" ] || [ "$now" = "$said" ] || echo "  $now"
    said=$now
    [ "$SECONDS" -lt "$deadline" ] || fail "The stack does not serve after $1 s. kubectl describe ecs $stack --namespace $namespace says more."
    sleep 0.5
  done
  condition_is Degraded False || echo "The stack serves, and has something to be mended: $(says Degraded)"
}

# says TYPE prints the message of a condition.
says() {
  read_stack | jq -r --arg type "$1" 'first(.status.conditions[]? | select(.type == $type) | .message) // empty'
}

# --- closing and opening

# pause: what is scaled from then on stays so. Done when the operator says that it has seen it, so no look of before is under way.
pause() {
  kube patch ecommercestack "$stack" --type merge --patch '{"spec": {"paused": true}}' >/dev/null
  wait_until 60 "the operator sees that the stack is paused" is_seen
}

is_seen() {
  read_stack | jq -e '.status.observedGeneration == .metadata.generation'
}

unpause() {
  kube patch ecommercestack "$stack" --type merge --patch '{"spec": {"paused": null}}' >/dev/null
}

# scale REPLICAS SERVICE…
scale() {
  local replicas=$1 service
  shift
  for service in "$@"; do
    kube scale deployment "$stack-$service" --replicas "$replicas" >/dev/null
  done
}

# stop SERVICE… lets each finish what it has in hand.
stop() {
  scale 0 "$@"
  local service
  for service in "$@"; do
    wait_until 60 "the pods of $service end" has_no_pods "$service"
  done
}

has_no_pods() {
  [ -z "$(kube get pods --selector "$(selector "$1")" --output name)" ]
}

selector() {
  echo "ecommercestack.dev/stack=$stack,app.kubernetes.io/component=service,app.kubernetes.io/name=$1"
}

# --- PostgreSQL, as its superuser in its own pod

# in_postgres PROGRAM ARGUMENT… with standard input and output.
in_postgres() {
  # shellcheck disable=SC2016 # for the shell in the pod
  limit=${limit:-7200} kube exec --stdin "$stack-postgres-0" --container postgres -- \
    sh -c 'PATH=/usr/lib/postgresql/17/bin:$PATH PGOPTIONS=--client-min-messages=warning; export PGOPTIONS; program=$1; shift; exec "$program" --host=/run/postgresql --username=postgres "$@"' sh "$@"
}
# Over a WebSocket kubectl may miss what comes first.
export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false

# sql DATABASE runs what is on standard input, and prints bare rows.
sql() {
  limit=${limit:-900} in_postgres psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$1"
}

# read_databases [PREFIX] fills `databases` and `owners`, by service. The server is this stack's own, or PREFIX is that of the names.
declare -A databases owners
read_databases() {
  local service name owner
  while IFS='|' read -r service name owner; do
    [ -z "${databases[$service]:-}" ] || fail "PostgreSQL has two databases of $service: ${databases[$service]} and $name. Remove the one that nobody uses."
    databases[$service]=$name owners[$service]=$owner
  done < <(limit=60 sql postgres <<<"select substring(datname from '(auth|product|order|payment)\$'), datname, pg_get_userbyid(datdba)
    from pg_database where datname ~ '^${1:-}.*_(auth|product|order|payment)\$'")
  for service in "${with_database[@]}"; do
    [ -n "${databases[$service]:-}" ] || fail "PostgreSQL has no database of $service: is the stack up? (kubectl get ecs $stack --namespace $namespace)"
  done
}

# count SERVICE TABLE
count() {
  limit=60 sql "${databases[$1]}" <<<"select count(*) from $2"
}
