"""A made-up result with all that a result can have; its figures are of no machine."""

import random

import results

CONTESTANTS = [("roadstead", "Roadstead", "0.1", "self"), ("roadstead-2", "Roadstead, 2 shards", "0.1", "self"),
               ("haproxy", "HAProxy", "2.6.12", "peer"), ("nginx", "nginx", "1.22.1", "peer"),
               ("envoy", "Envoy", "1.40", "peer"), ("relay", "minimal relay in C", "", "limit"),
               ("kernel", "nftables DNAT", "", "limit"), ("direct", "no proxy", "", "limit")]
# Group: id, title, unit, target, what it costs each contestant (None: takes no part), in seconds of CPU.
WORKS = [
    ("tcp", "round-trips-64", "Request and response, 64 connections, 64 B", "round trip", 0.90,
     {"roadstead": 12.4e-6, "haproxy": 14.1e-6, "nginx": 13.4e-6, "envoy": 20.8e-6, "relay": 11.9e-6}),
    ("tcp", "round-trips-1024", "Request and response, 1,024 connections, 1 KiB", "round trip", None,
     {"roadstead": 13.1e-6, "haproxy": 15.0e-6, "nginx": 14.2e-6, "envoy": 24e-6, "relay": 12.6e-6}),
    ("tcp", "connections", "Connect, request, close by the client", "connection", 0.90,
     {"roadstead": 82e-6, "haproxy": 79e-6, "nginx": 81e-6, "envoy": 153e-6, "relay": 61e-6}),
    ("bulk", "download", "Bulk to the client, 4 streams", "GB", 0.75,
     {"roadstead": 0.34, "haproxy": 0.82, "nginx": 0.71, "envoy": 0.45, "relay": 0.33}),
    ("bulk", "both", "Bulk both ways", "GB", 0.75,
     {"roadstead": 0.39, "haproxy": 0.91, "nginx": 0.81, "envoy": 0.51, "relay": 0.37}),
    ("udp", "udp-64", "UDP round trip, 64 flows, 64 B", "round trip", 0.65,
     {"roadstead": 7.9e-6, "nginx": 10.3e-6, "envoy": 16.6e-6, "relay": 7.8e-6}),
    ("udp", "udp-stream", "UDP one way, 1,200 B, 20,000 a second", "datagram", 0.65,
     {"roadstead": 2.1e-6, "nginx": 9e-6, "envoy": 8.1e-6, "relay": 2.2e-6}),
    ("forwarding", "forwarding", "Through a router, 64 connections", "round trip", None,
     {"roadstead": 38e-6, "haproxy": 40e-6, "kernel": 24e-6, "direct": 22e-6}),
]


def a_round(rng, cost, disturbance, group):
    found = {"cpu": cost * disturbance * rng.uniform(0.97, 1.03), "busy": rng.uniform(0.95, 1)}
    found["machine"] = found["cpu"] * 2.1
    if group == "udp":
        found["busy"] = 0.62
    else:
        found["rate"] = found["busy"] / found["cpu"]
    return found


def result(rounds=5, seed=1):
    """The sample; one seed, one result."""
    rng = random.Random(seed)
    made = results.new("2026-11-23T05:40:00Z", "748f320", False, rounds, {
        "name": "made-up", "cpu": "A CPU of nowhere", "cores": 2, "memory": 24 * 2**30, "kernel": "6.18.1"})
    made["contestants"] = [dict(zip(("id", "name", "version", "kind"), each)) for each in CONTESTANTS]
    made["left_out"] = [{"id": "traefik", "why": "not installed: make bench-peers"}]
    for group, id, title, unit, target, costs in WORKS:
        disturbances = [rng.uniform(0.92, 1.12) for _ in range(rounds)]
        add(made, id, title, group, unit, {
            each: [a_round(rng, cost, disturbance, group) for disturbance in disturbances]
            for each, cost in costs.items()}, target and {"figure": "cpu", "ratio": target})
    made["works"][-1]["topology"] = "router"
    stream = made["works"][-2]
    del stream["rounds"]["nginx"]
    stream["problems"]["nginx"] = "lost 3.1 % of the datagrams in round 2"
    percentiles = zip(results.PERCENTILES, (1, 1.9, 4.2, 11, 30))
    factors = dict(percentiles)
    add(made, "latency-half", "Request and response at half the slowest's rate", "latency", "round trip", {
        each: [{"latency": {p: middle * factor * rng.uniform(0.9, 1.1) for p, factor in factors.items()}}
               for _ in range(rounds)]
        for each, middle in (("roadstead", 61e-6), ("haproxy", 74e-6), ("nginx", 70e-6), ("envoy", 120e-6),
                             ("relay", 58e-6), ("direct", 21e-6))}, {"figure": "p99", "ratio": 1.0},
        note="20,000 a second")
    add(made, "idle", "Idle connections, 10,000", "memory", "connection", {
        each: [{"memory": size + rng.uniform(0, 4)} for _ in range(rounds)]
        for each, size in (("roadstead", 686), ("haproxy", 3400), ("nginx", 10020), ("envoy", 14300), ("relay", 61))},
        {"figure": "memory", "ratio": 0.25})
    add(made, "calls-64", "Request and response, 64 connections", "calls", "round trip", {
        "roadstead": [{"calls": {"epoll_wait": 2.01, "recvfrom": 2.0, "sendto": 2.0}}] * rounds,
        "haproxy": [{"calls": {"epoll_wait": 1.4, "recvfrom": 2.9, "sendto": 2.0, "epoll_ctl": 0.4}}] * rounds}, None)
    add(made, "shards-2", "Request and response on two cores", "shards", "round trip", {
        each: [{"cpu": cost * rng.uniform(0.97, 1.03)} for _ in range(rounds)]
        for each, cost in (("roadstead", 12.4e-6), ("roadstead-2", 13e-6))},
        {"figure": "cpu", "ratio": 1.1, "of": "roadstead-2", "over": "roadstead"})
    results.check(made)
    return made


def add(made, id, title, group, unit, rounds, target, **more):
    made["works"].append({"id": id, "title": title, "group": group, "unit": unit, "topology": "loopback",
                          "rounds": rounds, "problems": {}, **({"target": target} if target else {}), **more})
