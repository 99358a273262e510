#!/usr/bin/env bash
# Where each Service's address would be announced from each node, and why not. Nothing is started: explain plans from
# the manifests alone. ROADSTEAD names the binary; default: the release build of this checkout.
set -euo pipefail
cd "$(dirname "$0")"
roadstead=${ROADSTEAD:-../../.build/release/roadstead}
[ -x "$roadstead" ] || { echo "no $roadstead: run 'make build' first" >&2; exit 1; }

for node in node-1 node-2; do
  echo "$node"
  for service in shop hidden printers test soon; do
    "$roadstead" explain -f . --node-name "$node" "$service" |
      sed -nE "s/^  address  ([^,]*),.* would be (.*)/\1 \2/p" |
      while read -r address announced; do printf '  %-9s %-12s %s\n' "$service" "$address" "$announced"; done
  done
done
