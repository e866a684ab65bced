# shellcheck shell=bash disable=SC2034
# The names, versions and places that the scripts of local/ agree on. Sourced first by each of them; runs nothing.
# One more: give it a name here, say what reads it, and let no script spell the value itself.

set -euo pipefail
shopt -s inherit_errexit # what fails within $(…) fails

if [ "${BASH_VERSINFO[0]}" -lt 5 ] || ! command -v timeout sha256sum >/dev/null; then
  echo "bash 5 and the GNU core utilities are needed; on macOS: brew install bash coreutils" >&2
  exit 1
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
state=$root/.local # everything made here and git-ignored: tools, logs, data of the test stores, kubeconfig

# What is found on the machine comes first, so that .local/bin only ever fills gaps.
export PATH=$PATH:/usr/local/go/bin:/usr/sbin:/sbin:$state/bin

# Built with `go install` where they are missing.
kind_version=v0.33.0
helm_version=v3.22.0

# A clone has one cluster, which CLUSTER names and whose shop PORT of this machine serves when it is made. Both are kept from
# then on (see lib/clusters.bash), so that the commands after `make up` need not be told.
name_cluster() {
  cluster=$(kept name "${CLUSTER:-ecommerce}")
  port=$(kept port "${PORT:-8080}")
  context=kind-$cluster
  node=$cluster-control-plane
  address=${SHOP_ADDRESS:-http://localhost:$port}
}
kept() {
  grep . "$state/cluster/$1" 2>/dev/null || echo "$2"
}
name_cluster
export KUBECONFIG=$state/kubeconfig # the user's own file and current context stay as they are

# The node as published for this kind, and the one that local/offline/node builds where no registry answers (its Kubernetes
# is the one that local/offline/node/go.mod requires).
stock_node_image=kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d
built_node_image=ecommerce-stack/node

image_prefix=ecommerce-stack # of every image built here
binaries=(auth gateway product order payment operator)
store_images=(docker.io/library/postgres:17.6 docker.io/library/rabbitmq:4.0.9 docker.io/library/redis:8.0.3)
rust_image=docker.io/library/rust:1-bookworm # compiles where the host cannot: a Mac, or a Linux without Rust

operator_namespace=ecommerce-system
release=ecommerce-stack-operator
# Of `make up`; a test of its own names another.
stack_namespace=${SHOP_NAMESPACE:-default}
stack=${SHOP:-shop}
