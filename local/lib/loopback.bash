# shellcheck shell=bash
# What the shop on loopback is made from: the stores' images for docker, and what cargo has compiled.

# loopback_images says to the programs of bench/ which images the stores have.
loopback_images() {
  "$root/local/engine" start
  local image name variable pulled=""
  for image in "${store_images[@]}"; do
    name=${image##*/} name=${name%%:*}
    if ! image_exists "$image"; then
      [ -n "$pulled" ] || { registry_answers && pulled=yes || pulled=no; }
      if [ "$pulled" = yes ]; then docker pull --quiet "$image" >/dev/null; else image=$("$root/local/offline/store" "$name"); fi
    fi
    variable=SHOP_${name^^}_IMAGE
    export "$variable=$image"
  done
}

# One call with the whole workspace and its tests: alone, a package would want its dependencies with other features, and build them again.
loopback_program() {
  (cd "$root" && cargo build --locked --quiet --workspace --all-targets) && echo "$root/target/debug/$1"
}
