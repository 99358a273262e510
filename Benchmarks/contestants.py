"""Who takes part: Roadstead, its peers, the limits. Where their programs are, and how each is started."""

import dataclasses
import glob
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# Bytes of nginx's proxy_buffer_size and of HAProxy's tune.bufsize that are best for a kind of traffic: a buffer as long
# as a message is full with it, and asks for more. nginx keeps one for each idle connection; HAProxy none.
BUFFERS = {"small": (16384, 16384), "large": (32768, 32768), "bulk": (1048576, 16384), "idle": (512, 16384)}


@dataclasses.dataclass(frozen=True)
class Contestant:
    """One that is measured."""

    id: str
    name: str
    kind: str
    # Which program it is; None for what needs none.
    program: str | None
    protocols: tuple = ("tcp", "udp")
    topologies: tuple = ("loopback",)
    shards: int = 1


EVERYWHERE = ("loopback", "router")
ALL = [
    Contestant("roadstead", "Roadstead", "self", "roadstead", topologies=(*EVERYWHERE, "shards")),
    Contestant("roadstead-2", "Roadstead, 2 shards", "self", "roadstead", topologies=("shards",), shards=2),
    Contestant("haproxy", "HAProxy", "peer", "haproxy", protocols=("tcp",), topologies=EVERYWHERE),
    Contestant("nginx", "nginx", "peer", "nginx", topologies=EVERYWHERE),
    Contestant("envoy", "Envoy", "peer", "envoy", topologies=EVERYWHERE),
    Contestant("relay", "minimal relay in C", "limit", "relay"),
    Contestant("kernel", "nftables DNAT", "limit", "nft", topologies=("router",)),
    Contestant("direct", "no proxy", "limit", None, topologies=EVERYWHERE),
]
IDS = [each.id for each in ALL]
# Where a program is looked for, and what brings it.
PLACES = {
    "roadstead": (["../.build/release/roadstead"], "not built: make build"),
    "haproxy": (["haproxy", "/usr/sbin/haproxy"], "not installed: make bench-peers"),
    "nginx": (["nginx", "/usr/sbin/nginx"], "not installed: make bench-peers"),
    "envoy": ([".venv/lib/python3*/site-packages/envoy/_bin/envoy", "envoy"], "not installed: make bench-peers"),
    "nft": (["nft", "/usr/sbin/nft"], "not installed: make bench-peers"),
    "gcc": (["gcc", "cc", "clang"], "no C compiler: make bench-peers"),
    "load": (["../.build/release/roadstead-load"], "not built: make load"),
}


# Those of which another binary may be named.
NAMED = ("roadstead", "haproxy", "nginx", "envoy", "load")


class Missing(Exception):
    """What the run, or one contestant of it, cannot do without, and what brings it."""


def find(program, given=None):
    """The path of a program: the one that was named, or the first of its places."""
    places, why = PLACES[program]
    for place in [given] if given else places:
        for path in sorted(glob.glob(os.path.join(HERE, place))) or [place]:
            if found := shutil.which(os.path.abspath(path) if given or "/" in path else path):
                return found
    raise Missing(f"{given}: no such program" if given else why)


def version(program, path):
    """What the binary says its version is."""
    flag = {"nginx": "-v", "haproxy": "-v"}.get(program, "--version")
    done = subprocess.run([path, flag], capture_output=True, text=True, timeout=30)
    # Envoy says its path first, and then "version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL".
    pattern = r"version: \w+/([\w.-]+)/" if program == "envoy" else r"v?(\d+\.\d+[\w.+~-]*)"
    found = re.search(pattern, done.stdout + done.stderr)
    if done.returncode != 0 or not found:
        raise Missing(f"{path} {flag}: does not say a version")
    return found[1]


def available(wanted, given, scratch, can_route):
    """Those wanted that can take part, as a result has them, the paths of programs, and who is left out."""
    there, paths, left_out = [], {}, []
    for contestant in ALL:
        if contestant.id not in wanted:
            continue
        try:
            if contestant.topologies == ("router",) and not can_route:
                raise Missing("network namespaces need root")
            if contestant.program == "relay":
                paths["relay"] = build_relay(find("gcc"), scratch)
                found = ""
            elif contestant.program:
                paths[contestant.program] = find(contestant.program, given.get(contestant.program))
                found = version(contestant.program, paths[contestant.program])
            else:
                found = ""
        except (Missing, OSError, subprocess.SubprocessError) as error:
            left_out.append({"id": contestant.id, "why": str(error)})
            continue
        there.append({"id": contestant.id, "name": contestant.name, "version": found, "kind": contestant.kind})
    return there, paths, left_out


def build_relay(compiler, scratch):
    path = scratch.file("relay")
    done = subprocess.run([compiler, "-O2", "-o", path, os.path.join(HERE, "peers/relay.c")], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise Missing(f"relay.c does not compile: {done.stderr.strip()[-200:]}")
    return path


def command(contestant, path, front, endpoints, protocols, traffic, scratch):
    """How a contestant is started that listens at `front` (IP, port) and relays to `endpoints`, with one worker.

    Peers have the buffers that are best for them with the traffic, a key of `BUFFERS`.
    """
    (ip, port), endpoint_port = front, endpoints[0][1]
    if contestant.program == "roadstead":
        listens = [word for protocol in protocols for word in ("--listen", f"{protocol}://{ip}:{port}")]
        to = [word for endpoint in endpoints for word in ("--to", "%s:%d" % endpoint)]
        return [path, "run", *listens, *to, "--shards", str(contestant.shards), "--admin", "none", "--drain", "0s",
                "--log-level", "error"]
    if contestant.program == "relay":
        return [path, ip, str(port), endpoints[0][0], str(endpoint_port)]
    filled = {"ip": ip, "port": port, "endpoint1": endpoints[0][0], "endpoint2": endpoints[1][0],
              "endpoint_port": endpoint_port, "buffer": BUFFERS[traffic][contestant.program == "haproxy"],
              "is_bulk": "yes" if traffic == "bulk" else "no", "traffic": traffic, "directory": scratch.path}
    if contestant.program == "haproxy":
        return [path, "-db", "-f", fill("haproxy.cfg", filled, scratch)]
    if contestant.program == "nginx":
        filled["modules"] = nginx_modules(path)
        return [path, "-p", scratch.path, "-e", scratch.file("nginx.log"), "-c", fill("nginx.conf", filled, scratch)]
    if contestant.program == "envoy":
        return [path, "-c", fill("envoy.yaml", filled, scratch), "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "error"]
    raise ValueError(contestant.program)


def fill(template, values, scratch):
    """A file of its own made from a template in `peers/`."""
    with open(os.path.join(HERE, "peers", template)) as file:
        text = file.read()
    for key, value in values.items():
        text = text.replace("{{%s}}" % key, str(value))
    stem, _, ending = template.rpartition(".")
    path = scratch.file(f"{stem}-{values['traffic']}-{values['ip']}.{ending}")
    with open(path, "w") as file:
        file.write(text)
    return path


def nginx_modules(path):
    """The line that loads the stream module where it is one of its own, as in Debian."""
    built = subprocess.run([path, "-V"], capture_output=True, text=True).stderr
    if "--with-stream=dynamic" not in built:
        return ""
    directory = re.search(r"--modules-path=(\S+)", built)
    return f"load_module {directory[1] if directory else '/usr/lib/nginx/modules'}/ngx_stream_module.so;"
