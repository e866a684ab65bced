# shellcheck shell=bash
# Debian and Ubuntu packages, installed only where the program they bring is missing and only by root.

# install_packages PROGRAM PACKAGE… does nothing where the program is there. Services that come with a package are
# kept from starting: what is needed here is started by hand, on ports and folders of its own.
install_packages() {
  ! command -v "$1" >/dev/null || return 0
  install_always "$@"
}

# install_always WHAT PACKAGE… is for what cannot be seen by a program's name alone.
install_always() {
  local program=$1
  shift
  command -v apt-get >/dev/null || fail "$program is missing: install it with this system's package manager, then run this again."
  [ "$(id -u)" = 0 ] || fail "$program is missing: run 'sudo apt-get install $*', then run this again."
  echo "installing $*"
  apt-get update -qq
  with_services_held env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

with_services_held() {
  local policy=/usr/sbin/policy-rc.d code=0
  [ ! -e "$policy" ] || { "$@"; return; }
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  "$@" || code=$?
  rm -f "$policy"
  return "$code"
}
