#!/usr/bin/env bash
# No Kubernetes: one address in front of two backends, the second with three times the weight of the first.
# ROADSTEAD names the binary; default: the release build of this checkout.
set -euo pipefail
cd "$(dirname "$0")"
roadstead=${ROADSTEAD:-../../.build/release/roadstead}
[ -x "$roadstead" ] || { echo "no $roadstead: run 'make build' first" >&2; exit 1; }
log=$(mktemp)
pids=()
finish() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM

for number in 1 2; do
  "$roadstead" backend "127.0.2.$number:18080" --name "app-$number" >/dev/null &
  pids+=($!)
done
for number in 1 2; do
  curl --silent --output /dev/null --noproxy '*' --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 \
    "http://127.0.2.$number:18080/"
done
"$roadstead" run --listen tcp://127.102.0.1:8080 --to 127.0.2.1:18080 --to 127.0.2.2:18080,weight=3 --admin none >"$log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do grep -q '→' "$log" && break || sleep 0.1; done

echo "40 requests to http://127.102.0.1:8080/"
for _ in $(seq 40); do
  curl --silent --show-error --fail --noproxy '*' --max-time 5 http://127.102.0.1:8080/
done | sort | uniq -c | awk '{ printf "  %d %s\n", $1, $2 }'
