#!/usr/bin/env bash
# Counts what the relay costs, of the built release binary, and compares it with the budget. Exits 1 when it is over.
# Counts, not times: they come out the same on a busy machine.
set -euo pipefail
cd "$(dirname "$0")"
binary=${1:-../.build/release/roadstead}
exec python3 -B count.py "$binary"
