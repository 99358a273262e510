#!/usr/bin/env bash
# What of this example can be tried without a cluster: whether the sample's objects are valid, which address its Service
# gets, and the sidecar's Roadstead with the arguments of sidecar.yaml, but on 127.102.0.3.
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

"$roadstead" check -f sample | tail -n 1
"$roadstead" explain -f sample hostname-svc-lb |
  sed -nE 's/^  address  ([^,]*), from (pool [^,]*),.*/hostname-svc-lb gets \1 from \2/p'

# The block list under the first `args:`.
mapfile -t words < <(
  awk '/^    args:$/ { inside = 1; next } inside && !/^    - / { exit } inside { print $2 }' sidecar.yaml |
    sed -E 's/0\.0\.0\.0:8080/127.102.0.3:8080/; s/127\.0\.0\.1:9900/none/
      s/127\.0\.0\.1:18080/127.0.3.1:18080/; s/10\.96\.0\.80:8080/127.0.3.2:18080/')
for number in 1 2; do
  "$roadstead" backend "127.0.3.$number:18080" --name "app-$number" >/dev/null &
  pids+=($!)
done
for number in 1 2; do
  curl --silent --output /dev/null --noproxy '*' --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 \
    "http://127.0.3.$number:18080/"
done
"$roadstead" "${words[@]}" >"$log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do grep -q '→' "$log" && break || sleep 0.1; done
echo "40 requests to the sidecar"
for _ in $(seq 40); do
  curl --silent --show-error --fail --noproxy '*' --max-time 5 http://127.102.0.3:8080/
done | sort | uniq -c | awk '{ printf "  %d %s\n", $1, $2 }'
