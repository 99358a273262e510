#!/usr/bin/env bash
# CPU of the proxy per UDP round trip and per GB: Roadstead, nginx's stream module, and the least that a relay can do
# (relay.c), one after another in each round, each on core 0 with load and endpoint on core 1. Loopback only; takes
# about 25 s a round. run.sh [ROUNDS] [BINARY]
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-5}
binary=$(realpath "${2:-../../.build/release/roadstead}")
ip=127.60.9
work=$(mktemp -d)
declare -A pid
stop() {
  for one in "${pid[@]}"; do kill "$one" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
gcc -O2 -o "$work/relay" relay.c
gcc -O2 -o "$work/load" load.c
module=$(ls /usr/lib/nginx/modules/ngx_stream_module.so 2>/dev/null || true)
cat > "$work/nginx.conf" <<CONF
${module:+load_module $module;}
daemon off; worker_processes 1; master_process off; error_log $work/error.log; pid $work/nginx.pid;
events { worker_connections 18000; }
stream {
  server { listen $ip.50:9102 udp reuseport; proxy_pass $ip.1:9999; proxy_timeout 60s; }
  server { listen $ip.50:9202 udp reuseport; proxy_pass $ip.1:9998; proxy_timeout 60s; proxy_responses 0; }
}
CONF
taskset -c 1 "$work/load" echo $ip.1 9999 & pid[echo]=$!
taskset -c 0 "$binary" run --listen udp://$ip.50:9101 --to $ip.1:9999 --shards 1 --admin none >/dev/null 2>&1 & pid[roadstead]=$!
taskset -c 0 "$binary" run --listen udp://$ip.50:9201 --to $ip.1:9998 --shards 1 --admin none >/dev/null 2>&1 & pid[roadstead2]=$!
taskset -c 0 nginx -p "$work" -c "$work/nginx.conf" 2>/dev/null & pid[nginx]=$!
taskset -c 0 "$work/relay" $ip.50 9103 $ip.1 9999 & pid[relay]=$!
taskset -c 0 "$work/relay" $ip.50 9203 $ip.1 9998 & pid[relay2]=$!
sleep 1

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

# round_trips NAME PORT: microseconds of CPU each
round_trips() {
  local before after count
  before=$(ticks "${pid[$1]}")
  count=$(taskset -c 1 "$work/load" round-trips $ip.50 "$2" 64 2)
  after=$(ticks "${pid[$1]}")
  echo "scale=2; ($after - $before) * 10000 / ($count + 1)" | bc
}

# stream NAME PORT SEGMENTS: milliseconds of CPU per GB that arrived, and how much did
stream() {
  local before after sink arrived sent
  taskset -c 1 "$work/load" sink $ip.1 9998 > "$work/sink" & sink=$!
  sleep 0.2
  before=$(ticks "${pid[$1]}")
  sent=$(taskset -c 1 "$work/load" stream $ip.50 "$2" 200 100 "$3")
  sleep 0.3
  after=$(ticks "${pid[$1]}")
  kill "$sink"
  # A last datagram wakes it, so that it sees the signal.
  printf x > /dev/udp/$ip.1/9998 2>/dev/null || true
  wait "$sink" || true
  arrived=$(cat "$work/sink")
  echo "$(( (after - before) * 10 * 1000000000 / (arrived + 1) )) $(( arrived * 1000 / sent ))"
}

printf '%-10s  %14s  %26s  %26s\n' proxy 'round trip' 'stream, one by one' 'stream, UDP_SEGMENT'
for _ in $(seq "$rounds"); do
  for name in roadstead nginx relay; do
    case $name in roadstead) port=01;; nginx) port=02;; relay) port=03;; esac
    trip=$(round_trips $name 91$port)
    other=$name; [ $name = nginx ] || other=${name}2
    read -r single single_arrived <<< "$(stream $other 92$port 1)"
    read -r burst burst_arrived <<< "$(stream $other 92$port 50)"
    printf '%-10s  %11s us  %9s ms/GB (%3s.%s %%)  %9s ms/GB (%3s.%s %%)\n' $name "$trip" \
      "$single" $((single_arrived / 10)) $((single_arrived % 10)) "$burst" $((burst_arrived / 10)) $((burst_arrived % 10))
  done
done
