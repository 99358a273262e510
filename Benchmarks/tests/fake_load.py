#!/usr/bin/python3
"""Stands in for roadstead-load: it serves and asks a little, and tells figures that the test has chosen.

FAKE_LOAD is JSON that is laid over its report; for one target only where FAKE_TARGET is part of that. FAKE_IDLE is laid
over that of 4,000 idle connections. The targets of timed runs are appended to the file FAKE_ORDER.
"""

import json
import os
import selectors
import signal
import socket
import sys


def address(word):
    protocol, _, rest = word.partition("://")
    ip, _, port = rest.partition(":")
    return protocol, (ip, int(port))


def serve(words):
    selector = selectors.DefaultSelector()
    for word in words:
        protocol, where = address(word)
        if protocol == "tcp":
            one = socket.create_server(where)
        else:
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind(where)
        selector.register(one, selectors.EVENT_READ, protocol)
    while True:
        for key, _ in selector.select():
            if key.data == "tcp":
                selector.register(key.fileobj.accept()[0], selectors.EVENT_READ, "live")
            elif key.data == "udp":
                key.fileobj.sendto(*key.fileobj.recvfrom(65536))
            elif data := key.fileobj.recv(65536):
                key.fileobj.sendall(data)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def exchange(target):
    protocol, where = address(target)
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    one.settimeout(5)
    one.connect(where)
    one.sendall(b"x" * 64)
    return one, len(one.recv(64)) == 64


def main():
    verb, target, *words = sys.argv[1:]
    if verb == "serve":
        serve([target, *words])
    pids = [words[n + 1] for n, word in enumerate(words) if word == "--watch-cpu"]
    errors = {"wrong_reply": 0, "refused": 0}
    try:
        one, is_right = exchange(target)
        errors["wrong_reply"] = int(not is_right)
    except OSError:
        errors["refused"] = 1
    if verb == "idle":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        print("open", flush=True)
        signal.sigwait({signal.SIGTERM})
    report = {"work": verb, "target": target, "units": 1000, "bytes": 64000, "seconds": 1.0, "errors": errors,
              "sent": 1000, "lost": 0, "cpu": {"watched": {pid: 0.95 for pid in pids}, "own": 0.1, "machine": 2.0},
              "latency": {"unit": "ns", "min": 1, "p50": 1000, "p90": 2000, "p99": 3000, "p99.9": 4000, "max": 5000,
                          "late": 0}}
    if os.environ.get("FAKE_TARGET", "") in target and "--seconds" in words:
        report |= json.loads(os.environ.get("FAKE_LOAD", "{}"))
    if verb == "idle" and words[words.index("--concurrency") + 1] == "4000":
        report |= json.loads(os.environ.get("FAKE_IDLE", "{}"))
    if "--seconds" in words and "FAKE_ORDER" in os.environ:
        with open(os.environ["FAKE_ORDER"], "a") as file:
            print(target, file=file)
    print(json.dumps(report), flush=True)
    sys.exit(1 if any(report["errors"].values()) else 0)


main()
