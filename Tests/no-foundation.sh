#!/usr/bin/env bash
# The packet path and what it stands on must not use Foundation: neither import it nor refer to a symbol of it.
set -euo pipefail
cd "$(dirname "$0")/.."
found=0
for target in Addresses Balancing EventLoop HTTPTransport Proxy; do
  if grep -rnE '^[^/]*import +(Foundation|FoundationEssentials|Yams)' "Sources/$target"; then
    echo "Sources/$target imports Foundation" >&2
    found=1
  fi
  for build in .build/debug .build/release; do
    for object in "$build/$target.build"/*.o; do
      [ -e "$object" ] || continue
      # A mangled name carries its module with its length before it.
      if nm -u "$object" 2>/dev/null | grep -E '(10Foundation|20FoundationEssentials)[A-Z]' | head -n 3; then
        echo "$object uses Foundation" >&2
        found=1
      fi
    done
  done
done
[ $found -eq 0 ] && echo "no Foundation in Addresses, Balancing, EventLoop, HTTPTransport, Proxy"
exit $found
