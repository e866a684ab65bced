# shellcheck shell=bash
# What several scripts ask of docker.

export DOCKER_BUILDKIT=0 # what is built here needs no more, and Debian's docker comes without buildx

engine_answers() {
  timeout 10 docker info >/dev/null 2>&1
}

image_exists() {
  docker image inspect "$1" >/dev/null 2>&1
}

# registry_answers says whether images can be pulled, by the engine and with its mirrors; one of 10 kB tells.
registry_answers() {
  timeout 20 docker pull -q docker.io/library/hello-world >/dev/null 2>&1
}

# hash_of_files PATH… is short, and the same for the same content on every machine.
hash_of_files() {
  (cd "$root" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c -12)
}
