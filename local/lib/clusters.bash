# shellcheck shell=bash
# Whose a cluster is. The node of each has the folder that made it mounted (see kind-config.yaml), so the answer comes and goes
# with the cluster itself, and needs no kind. One clone has one cluster; another's is never changed.

# node_exists [NODE] is true for one that stands still too, as after a reboot.
node_exists() {
  docker container inspect "${1:-$node}" >/dev/null 2>&1
}

node_runs() {
  [ "$(docker container inspect --format '{{.State.Running}}' "$node" 2>/dev/null)" = true ]
}

# maker_of NODE prints the folder of the clone that made it, and nothing where something else did.
maker_of() {
  docker container inspect --format '{{range .HostConfig.Binds}}{{println .}}{{end}}' "$1" | sed -n 's|/\.local/cluster:/kind/clone:.*||p'
}

# port_of NODE prints where its shop is found.
port_of() {
  docker container inspect --format '{{range index .HostConfig.PortBindings "30080/tcp"}}{{.HostPort}}{{end}}' "$1"
}

is_ours() {
  node_exists && [ "$(maker_of "$node")" = "$root" ]
}

# require_cluster ends the script where the node of that name is another clone's, or nobody's.
require_cluster() {
  is_ours || fail "This clone has no cluster $cluster: make up makes one."
}

# keep_name PORT remembers how the cluster is called and where its shop is found; forget_name what is over.
keep_name() {
  mkdir -p "$state/cluster"
  echo "$cluster" >"$state/cluster/name"
  echo "$1" >"$state/cluster/port"
  name_cluster
}

forget_name() {
  rm -f "$state/cluster/name" "$state/cluster/port"
  name_cluster
}

# room_beside prints the name and the port that a cluster would be made with beside those that are there.
room_beside() {
  local name=ecommerce number=1
  while node_exists "$name-control-plane"; do
    number=$((number + 1))
    name=ecommerce-$number
  done
  echo "CLUSTER=$name PORT=$(free_port 8080)"
}

# whose NODE is a part of a sentence, and how it is ended.
whose() {
  local maker by_hand
  maker=$(maker_of "$1")
  by_hand="(to end it: kind delete cluster --name ${1%-control-plane})"
  if [ -z "$maker" ]; then
    echo "which was not made from this clone $by_hand"
  elif [ -d "$maker" ]; then
    echo "which belongs to the clone in $maker (to end it: make down, there)"
  else
    echo "which belongs to a clone that was in $maker $by_hand"
  fi
}
