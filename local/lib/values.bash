# shellcheck shell=bash
# What the lane `chart` asks of the values that the operator's chart takes. For local/test; each function is a check.

chart=$root/charts/ecommerce-stack-operator

# Every value of values.yaml has its place in the schema, and the schema lets no other name in beside it.
values_are_in_the_schema() {
  local missing
  missing=$(default_values | jq -r --slurpfile schema "$chart/values.schema.json" '
    def target: if has("$ref") then (.["$ref"] | split("/")[1:]) as $path | $schema[0] | getpath($path) else . end;
    def place($path): reduce $path[] as $key ($schema[0];
      if . != null and .additionalProperties == false then .properties[$key] // null | if . then target else . end else null end);
    paths | select(all(type == "string")) | . as $path | select(place($path) == null) | join(".")')
  [ -z "$missing" ] || { printf 'not in values.schema.json, or beside names that it does not know: %s\n' "$missing"; return 1; }
}

# Each name with a letter too much is refused by that name.
typos_are_refused() {
  local paths path said
  paths=$(default_values | jq -r 'paths | select(all(type == "string")) | join(".")') && [ -n "$paths" ] || return 1
  for path in $paths; do
    said=$(render --set "${path}x=1") && { echo "$path with an x is taken"; return 1; }
    [[ $said == *"additional properties '${path##*.}x' not allowed"* ]] || { echo "$path with an x: $said"; return 1; }
  done
}

# YAML makes a number of 1.10, and of a hash that is all digits; the sentence says how to mend it.
numbers_are_no_tags() {
  local value file said
  file=$(mktemp)
  for value in image.tag services.version; do
    printf '%s:\n  %s: 1.10\n' "${value%.*}" "${value#*.}" >"$file"
    said=$(render --values "$file") && { echo "$value is taken as a number"; return 1; }
    [[ $said == *"a text: write it in quotes, or give it with --set-string"* ]] || { echo "$value: $said"; return 1; }
    said=$(render --set "$value=20261128") && { echo "$value is taken as a whole number"; return 1; }
    said=$(render --set-string "$value=20261128") || { echo "$value: $said"; return 1; }
    [[ $said == *"20261128"* ]] || { echo "$value has no effect"; return 1; }
  done
  rm "$file"
}

# Whatever the tree sets itself, and tells others to set, is taken.
values_in_use_are_taken() {
  local names name said arguments=()
  names=$(cd "$root" && grep -rhoE -- '--set(-string)? "?[a-zA-Z.]+=' README.md docs local .github charts | sed -E 's/.* "?//; s/=$//' | sort -u)
  grep -qx image.tag <<<"$names" || { echo "local/deploy sets no tag any more?"; return 1; }
  for name in $names; do arguments+=(--set-string "$name=content-0123456789ab"); done
  said=$(render "${arguments[@]}") || { echo "$said"; return 1; }
}

render() {
  helm template release "$chart" --namespace "$operator_namespace" "$@" 2>&1
}

# As JSON, by a chart that renders its values and nothing else.
default_values() {
  local folder
  folder=$(mktemp -d)
  mkdir "$folder/templates"
  cp "$chart/Chart.yaml" "$chart/values.yaml" "$folder"
  echo '{{ toJson .Values }}' >"$folder/templates/values.yaml"
  helm template release "$folder" | grep '^{'
  rm -r "$folder"
}
