#!/usr/bin/env bash
# Counts what the relay costs, of the built release binary, against thresholds.json. Exits 1 when a count grew.
# Counts, not times: they come out the same on a busy machine.
set -euo pipefail
here=$(dirname "$0")
exec python3 -B "$here/count.py" "${1:-$here/../.build/release/roadstead}" "${@:2}"
