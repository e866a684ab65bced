# shellcheck shell=bash
# What lanes stand on: stores and API server, or the whole stack in a cluster. For local/test and local/prove; each is a
# check, so that what does not come up is one failure with its reason, and not one for each test that needed it.

stores() {
  check "the stores start" local/stores start || return 1
  eval "$(local/stores environment)"
}

stores_and_api_server() {
  stores && check "the API server starts" local/apiserver start
}

# The stack in this clone's cluster, or in one that is made beside another's.
stack_in_a_cluster() {
  check "the tools are there" local/tools && check "a docker engine answers" local/engine start || return 1
  if [ -z "${CLUSTER:-}${PORT:-}" ] && ! local/cluster check 2>/dev/null; then
    eval "export $(local/cluster beside)"
  fi
  check "the stack comes up" local/up --without-order || return 1
  cat "$(log_of "the stack comes up")"
  name_cluster
  export E2E_ADDRESS=$address
}

# end_to_end_tests [FILE…]: all of them, or those of tests/e2e/tests/ without their .rs. One call with the whole workspace: alone, the
# tests would want their dependencies with other features, and build them again.
end_to_end_tests() {
  local file tests=()
  [ $# -gt 0 ] || set -- tests/e2e/tests/*.rs
  for file in "$@"; do tests+=(--test "$(basename "$file" .rs)"); done
  cargo_tests --workspace "${tests[@]}" -- --nocapture
}

# What the cluster knew, before it goes.
keep_evidence() {
  name_cluster
  engine_answers && node_exists || return 0
  kubectl --context "$context" cluster-info dump --namespaces "$stack_namespace,$operator_namespace" \
    --output-directory "$logs/cluster" >/dev/null 2>&1 || true
  echo "what the cluster said is in $logs/cluster"
}
