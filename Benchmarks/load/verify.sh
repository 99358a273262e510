#!/usr/bin/env bash
# Does a target cost the same under roadstead-load as under wrk and iperf3? nginx is asked over HTTP, HAProxy carries bulk.
#
#   make load && Benchmarks/load/verify.sh
#
# Target on core 0, load on core 1, all on loopback, in turns. Prints medians, and the ratio's median, least and most;
# exits 1 when a ratio is off by over 15 %. More requests a second than wrk's are no fault: the load was the bottleneck
# there. What the load itself costs is printed too, and not judged.
set -euo pipefail
cd "$(dirname "$0")/../.."
load=${LOAD:-.build/release/roadstead-load}
rounds=${ROUNDS:-5}
duration=${DURATION:-3}
for tool in wrk iperf3 haproxy nginx taskset python3; do
  command -v "$tool" >/dev/null || { echo "needs $tool (apt-get install wrk iperf3 haproxy nginx-light util-linux python3)" >&2; exit 2; }
done
[ -x "$load" ] || { echo "needs $load: make load" >&2; exit 2; }
[ "$(nproc)" -ge 2 ] || { echo "needs two cores" >&2; exit 2; }

directory=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$directory"
}
trap finish EXIT

start() { # CORE COMMAND…: in the background; its pid is in $!
  taskset -c "$1" "${@:2}" >"$directory/out" 2>&1 &
  started+=("$!")
}

listens() { # PORT: waits until somebody does
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.05
  done
  echo "nothing listens on port $1:" >&2
  cat "$directory/out" >&2
  exit 2
}

cpu() { # PID…: nanoseconds on a core so far, of all threads
  for pid in "$@"; do cat "/proc/$pid/task/"*/schedstat; done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

cat >"$directory/nginx.conf" <<END
daemon off; master_process off; pid $directory/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 60s;
  server {
    listen 127.0.0.1:29080 backlog=4096;
    location / { return 200 "$(printf '%064d' 0)"; }
  }
}
END
cat >"$directory/haproxy.cfg" <<END
global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen iperf3
  bind 127.0.0.1:29001
  server a 127.0.0.1:29201
listen load
  bind 127.0.0.1:29002
  server a 127.0.0.1:29202
END
start 0 nginx -p "$directory" -c "$directory/nginx.conf"; nginx=$!
start 0 haproxy -db -f "$directory/haproxy.cfg"; haproxy=$!
start 1 iperf3 -s -B 127.0.0.1 -p 29201; iperf3=$!
start 1 "$load" serve tcp://127.0.0.1:29202; server=$!
for port in 29080 29001 29002 29202; do listens "$port"; done

field() { python3 -c 'import json, sys; value = json.loads(sys.stdin.read().splitlines()[-1])
for key in sys.argv[1:]: value = value[key]
print(value)' "$@"; }

figure() { echo "$1|$2|$3" >>"$directory/figures"; } # ROW TOOL VALUE

requests() { # NAME TOOL: what nginx and the load did since `before`, for $count requests
  local after own
  after=$(cpu "$nginx")
  figure "$1: nginx, µs a request" "$2" "$(python3 -c "print(($after - $before) / 1e3 / $count)")"
  figure "$1: requests/s" "$2" "$(python3 -c "print($count / $duration)")"
  own=$(awk '{ printf "%.9f", $1 + $2 }' "$directory/time")
  figure "$1: the load, µs a request" "$2" "$(python3 -c "print($own * 1e6 / $count)")"
}

TIMEFORMAT='%U %S'
timed() { { time taskset -c 1 "$@" >"$directory/result" 2>"$directory/errors"; } 2>"$directory/time"; }

http() { # NAME WORK HEADER…
  local name=$1 work=$2 before count
  before=$(cpu "$nginx")
  timed wrk -t 1 -c 64 -d "${duration}s" "${@:3}" http://127.0.0.1:29080/
  count=$(awk '/requests in/ { print $1 }' "$directory/result")
  requests "$name" other
  before=$(cpu "$nginx")
  timed "$load" "$work" http://127.0.0.1:29080/ --concurrency 64 --seconds "$duration" "${close[@]}"
  count=$(field units <"$directory/result")
  requests "$name" load
}

bulk() { # NAME WORK IPERF3-OPTION…
  local before after bytes sides
  before=$(cpu "$haproxy") sides=$(cpu "$iperf3")
  timed iperf3 -c 127.0.0.1 -p 29001 -P 4 -t "$duration" -J "${@:3}"
  python3 -c 'import json, sys; print(json.load(sys.stdin)["end"]["sum_received"]["bytes"])' <"$directory/result" >"$directory/bytes"
  bytes=$(cat "$directory/bytes") after=$(cpu "$haproxy")
  bulk_figures "$1" other "$iperf3"
  before=$(cpu "$haproxy") sides=$(cpu "$server")
  timed "$load" "$2" tcp://127.0.0.1:29002 --concurrency 4 --seconds "$duration"
  bytes=$(field bytes <"$directory/result") after=$(cpu "$haproxy")
  bulk_figures "$1" load "$server"
}

bulk_figures() { # NAME TOOL SERVER
  local client
  client=$(awk '{ printf "%.9f", $1 + $2 }' "$directory/time")
  figure "$1: HAProxy, ms a GB" "$2" "$(python3 -c "print(($after - $before) / 1e6 / ($bytes / 1e9))")"
  figure "$1: the load, ms a GB" "$2" "$(python3 -c "print(($(cpu "$3") - $sides + $client * 1e9) / 1e6 / ($bytes / 1e9))")"
}

for ((round = 0; round < rounds; round++)); do
  close=()
  http "keep-alive" round-trips
  close=(--closes server)
  http "Connection: close" connections -H "Connection: close"
  bulk upload upload
  bulk download download -R
done

python3 - "$directory/figures" <<'END'
import statistics, sys
rows = {}
for line in open(sys.argv[1], encoding="utf-8"):
    row, tool, value = line.strip().split("|")
    rows.setdefault(row, {}).setdefault(tool, []).append(float(value))
print(f"{'':44}{'wrk or iperf3':>15}{'roadstead-load':>16}{'ratio':>8}")
off = []
for row, tools in rows.items():
    ratios = [a / b for a, b in zip(tools["load"], tools["other"])]
    ratio = statistics.median(ratios)
    other, load = (statistics.median(tools[tool]) for tool in ("other", "load"))
    print(f"{row:44}{other:15,.1f}{load:16,.1f}{ratio:8.2f}  {min(ratios):.2f} to {max(ratios):.2f}")
    if "the load" not in row and not (0.85 <= ratio and (ratio <= 1.15 or "requests/s" in row)):
        off.append(row)
for row in off:
    print(f"off by over 15 %: {row}", file=sys.stderr)
sys.exit(1 if off else 0)
END
