# What scripts/run and scripts/test share. Sourced by bash.
# shellcheck shell=bash

# The top of the source tree.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
  echo "error: $*" >&2
  exit 1
}

# packages_of GROUP: the names of a group of packages.txt, one a line.
packages_of() {
  awk -v group="$1" '$1 == group { print $2 }' "$root/scripts/packages.txt"
}

# By its name, or by another that stands in for it: one nodejs brings npm along
# and cannot be beside Debian's.
is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
    dpkg-query -W -f='${db:Status-Status} ${Provides},\n' |
    grep -E "^installed (.* )?$1( \(=[^)]*\))?," >/dev/null
}

# install_packages GROUP...: installs what is missing. Asks no network when
# nothing is.
install_packages() {
  local group package missing=() as_root=()
  command -v dpkg-query >/dev/null ||
    die "this is no Debian system: install what scripts/packages.txt names," \
      "then use cmake --preset release"
  for group in "$@"; do
    for package in $(packages_of "$group"); do
      is_installed "$package" || missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "not root and no sudo; missing packages: ${missing[*]}"
    as_root=(sudo)
  fi
  echo "installing: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2 ||
    die "no package lists: is the network there? missing: ${missing[*]}"
  # What comes with daemons (the servers of the tests) must not start them.
  local policy=/usr/sbin/policy-rc.d result=0 ours=no
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    result=$?
  [ "$ours" = no ] || "${as_root[@]}" rm -f "$policy"
  [ "$result" -eq 0 ] || die "apt-get could not install: ${missing[*]}"
}

# configure ARGUMENT...: cmake with these, silent unless it fails.
configure() {
  mkdir -p "$root/build"
  if ! cmake -S "$root" "$@" >"$root/build/configure.log" 2>&1; then
    cat "$root/build/configure.log" >&2
    return 1
  fi
}
