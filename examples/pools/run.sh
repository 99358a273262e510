#!/usr/bin/env bash
# Which address each Service of each file gets. Nothing is started: explain plans from the manifests alone.
# ROADSTEAD names the binary; default: the release build of this checkout.
set -euo pipefail
cd "$(dirname "$0")"
roadstead=${ROADSTEAD:-../../.build/release/roadstead}
[ -x "$roadstead" ] || { echo "no $roadstead: run 'make build' first" >&2; exit 1; }

# NAMESPACE/NAME of each Service in a file.
services() {
  awk '/^---/ { kind = name = ""; namespace = "default" } BEGIN { namespace = "default" }
    /^kind: / { kind = $2 } /^  name: / { name = $2 } /^  namespace: / { namespace = $2 }
    /^spec:/ && kind == "Service" { print namespace "/" name }' "$1"
}

for file in *.yaml; do
  echo "$file"
  for service in $(services "$file"); do
    "$roadstead" explain -f "$file" "$service" | awk -v service="$service" '
      $1 == "address" { sub(",$", "", $2); addresses = addresses (addresses ? " and " : "") $2 }
      END { printf "  %-24s%s\n", service, addresses }'
  done
done
