#!/usr/bin/env bash
# Makes an authority, has it sign a certificate of the Service `postgres`, and puts both into the Secret `postgres-tls`. The authority's
# key is thrown away: for the next certificate, run it again.
# usage: certificates.sh NAMESPACE [KUBECTL-OPTION…]
set -euo pipefail

namespace=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc)
openssl req -x509 "${key[@]}" -keyout ca.key -out ca.crt -days 365 -subj "/CN=the authority of $namespace" \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
openssl req -x509 "${key[@]}" -keyout tls.key -out tls.crt -days 365 -subj /CN=postgres -CA ca.crt -CAkey ca.key \
  -addext basicConstraints=critical,CA:FALSE -addext subjectAltName="DNS:postgres,DNS:postgres.$namespace.svc"
kubectl "$@" --namespace "$namespace" create secret generic postgres-tls --dry-run=client --output yaml \
  --from-file=ca.crt --from-file=tls.crt --from-file=tls.key |
  kubectl "$@" --namespace "$namespace" apply --filename -
