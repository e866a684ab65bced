# shellcheck shell=bash
# What becomes of the stacks and their definition while the operator's release changes. For local/test; each function is a check.

definition=ecommercestacks.ecommercestack.dev

# Against the API server of tests: no pods, and whoever has the definition gives it back changed.
definition_changes_hands() {
  local -x KUBECONFIG=$state/apiserver/kubeconfig
  local former=(former --namespace former) next=(next --namespace next) said
  remove_release "${former[@]}" && remove_release "${next[@]}" &&
    helm install "${former[@]}" "$chart" --create-namespace --take-ownership >/dev/null &&
    kubectl patch crd "$definition" --type json \
      --patch '[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/paused"}]' || return 1
  said=$(helm install "${next[@]}" "$chart" --create-namespace --take-ownership 2>&1) && { echo "two operators are taken"; return 1; }
  [[ $said == *"here already, as release former in namespace former"* ]] || { echo "$said"; return 1; }
  helm uninstall "${former[@]}" || return 1
  said=$(helm install "${next[@]}" "$chart" --create-namespace 2>&1) && { echo "taken without the flag: then document no flag"; return 1; }
  [[ $said == *"cannot be imported into the current release"* ]] || { echo "$said"; return 1; }
  helm install "${next[@]}" "$chart" --create-namespace --take-ownership >/dev/null &&
    kubectl get crd "$definition" -o json | jq -e '.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties | has("paused")' &&
    helm upgrade "${next[@]}" "$chart" >/dev/null && helm uninstall "${next[@]}" && kubectl get crd "$definition"
}

remove_release() {
  helm uninstall "$@" --ignore-not-found
}

# In the cluster: the operator's own pod is made anew, and no other.
upgraded_operator_keeps_pods() (
  revision=$(helm_in_cluster status "$release" --namespace "$operator_namespace" --output json | jq -e .version) &&
    before=$(pods_of_stacks) && [ -n "$before" ] && operator=$(operator_pod) || return 1
  trap 'helm_in_cluster rollback "$release" "$revision" --namespace "$operator_namespace" --wait --timeout 3m' EXIT
  helm_in_cluster upgrade "$release" "$chart" --namespace "$operator_namespace" --reuse-values --set-string logFilter=warn \
    --wait --timeout 3m >/dev/null &&
    stack_is_taken_up && [ "$(operator_pod)" != "$operator" ] && diff <(echo "$before") <(pods_of_stacks)
)

# Uninstalled, and installed elsewhere under another name, as docs/operate/operator.md says it; then back.
moved_operator_keeps_pods() (
  values=$(mktemp)
  helm_in_cluster get values "$release" --namespace "$operator_namespace" --output json >"$values" &&
    before=$(pods_of_stacks) && [ -n "$before" ] || return 1
  trap 'move_operator eso platform "$release" "$operator_namespace"; rm "$values"' EXIT
  move_operator "$release" "$operator_namespace" eso platform &&
    stack_is_taken_up && diff <(echo "$before") <(pods_of_stacks) &&
    move_operator eso platform "$release" "$operator_namespace" || return 1
  trap 'rm "$values"' EXIT
  stack_is_taken_up && diff <(echo "$before") <(pods_of_stacks)
)

# move_operator RELEASE NAMESPACE RELEASE NAMESPACE takes the first away and installs the second.
move_operator() {
  helm_in_cluster uninstall "$1" --namespace "$2" --ignore-not-found --wait --timeout 3m &&
    helm_in_cluster install "$3" "$chart" --namespace "$4" --create-namespace --values "$values" --take-ownership \
      --wait --timeout 3m >/dev/null
}

# Another generation, for a spec that means the same: an operator looks, and says so.
stack_is_taken_up() {
  local policy
  for policy in '"Retain"' null; do
    kube patch ecommercestack "$stack" --type merge --patch "{\"spec\": {\"deletionPolicy\": $policy}}" &&
      wait_until 120 "an operator takes the stack up" is_taken_up || return 1
  done
}

is_taken_up() {
  kube get ecommercestack "$stack" -o json | jq -e '
    .metadata.generation as $generation
    | any(.status.conditions[]?; .type == "Ready" and .status == "True" and .observedGeneration == $generation)'
}

# Each with its identity and how often its containers were started.
pods_of_stacks() {
  kubectl --context "$context" get pods --all-namespaces --selector ecommercestack.dev/stack,'!job-name' -o json | jq -r '.items[]
    | [.metadata.namespace, .metadata.name, .metadata.uid, (.status.containerStatuses[]?.restartCount | tostring)] | join(" ")' | sort
}

operator_pod() {
  kubectl --context "$context" --namespace "$operator_namespace" get pods --selector app.kubernetes.io/name=ecommerce-stack-operator \
    --field-selector status.phase=Running --output 'jsonpath={.items[*].metadata.uid}'
}

helm_in_cluster() {
  helm --kube-context "$context" "$@"
}

kube() {
  kubectl --context "$context" --namespace "$stack_namespace" "$@"
}
