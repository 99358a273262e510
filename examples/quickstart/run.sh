#!/usr/bin/env bash
# Three pods and one without the label on loopback, Roadstead in front of them, 30 requests, and who answered how often.
# With --stay everything stays up until ctrl-C. ROADSTEAD names the binary; default: the release build of this checkout.
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

for number in 1 2 3 4; do
  "$roadstead" backend "127.0.1.$number:18080" --name "pod-$number" >/dev/null &
  pids+=($!)
done
for number in 1 2 3 4; do
  curl --silent --output /dev/null --noproxy '*' --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 \
    "http://127.0.1.$number:18080/"
done
"$roadstead" run -f . --admin none >"$log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do grep -q 'names.*→' "$log" && break || sleep 0.1; done
cat "$log"

echo "30 requests to http://127.101.0.50:8080/"
for _ in $(seq 30); do
  curl --silent --show-error --fail --noproxy '*' --max-time 5 http://127.101.0.50:8080/
done | sort | uniq -c | awk '{ printf "  %d %s\n", $1, $2 }'

echo "30 datagrams to 127.101.0.51:5300/UDP"
for _ in $(seq 30); do
  # bash(1) speaks UDP through /dev/udp. Each socket stays open, so that no other gets its port: each is a flow.
  exec {socket}<>/dev/udp/127.101.0.51/5300
  echo >&"$socket"
  timeout 5 head -n 1 <&"$socket"
done | sort | uniq -c | awk '{ printf "  %d %s\n", $1, $2 }'

if [ "${1:-}" = --stay ]; then
  echo "Try: curl http://127.101.0.50:8080/    ctrl-C ends it."
  tail -n 0 -f "$log" &
  pids+=($!)
  wait
fi
