#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing; without root it prints the line that does.
set -euo pipefail
if ! command -v dpkg-query >/dev/null; then
  echo "not a Debian system; these packages, or what they are called here, are needed: $*" >&2
  exit 0
fi
missing=()
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "these packages are missing; install them with" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
