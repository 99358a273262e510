#!/usr/bin/env python3
"""Many UDP flows through a proxy to an echo: every datagram has a number and a checksum, and is asked back.

usage: traffic.py ADDRESS PORT SOURCE FLOWS DATAGRAMS

Opens FLOWS sockets at SOURCE and sends DATAGRAMS in all, a window on each flow before the answers are taken. Prints
one line of JSON: what was sent, what came back right, what came back wrong or twice, and what did not come.
"""
import json
import random
import resource
import select
import socket
import struct
import sys
import zlib

WINDOW = 16
FLOWS_AT_ONCE = 50
PATIENCE = 5.0


def main():
    address, port, source, flows, datagrams = sys.argv[1], *map(str, sys.argv[2:])
    flows, datagrams = int(flows), int(datagrams)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    noise = random.Random(1).randbytes(4096)
    sockets = []
    for _ in range(flows):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind((source, 0))
        client.connect((address, int(port)))
        client.setblocking(False)
        sockets.append(client)
    sent = right = wrong = missing = 0
    pick = random.Random(2)
    while sent < datagrams:
        for first in range(0, flows, FLOWS_AT_ONCE):
            group = sockets[first:first + FLOWS_AT_ONCE]
            waiting = {}
            for number, client in enumerate(group):
                expected = set()
                for _ in range(min(WINDOW, -(-datagrams // flows))):
                    if sent == datagrams:
                        break
                    start, length = pick.randrange(2000), pick.choice((0, 16, 100, 500, 1200))
                    body = struct.pack("!II", first + number, sent) + noise[start:start + length]
                    client.send(struct.pack("!I", zlib.crc32(body)) + body)
                    expected.add(sent)
                    sent += 1
                if expected:
                    waiting[client.fileno()] = (client, first + number, expected)
            poll = select.poll()
            for descriptor in waiting:
                poll.register(descriptor, select.POLLIN)
            while waiting:
                ready = poll.poll(PATIENCE * 1000)
                if not ready:
                    missing += sum(len(entry[2]) for entry in waiting.values())
                    break
                for descriptor, _ in ready:
                    client, flow, expected = waiting[descriptor]
                    while expected:
                        try:
                            data = client.recv(65536)
                        except BlockingIOError:
                            break
                        of, number = struct.unpack("!II", data[4:12]) if len(data) >= 12 else (-1, -1)
                        if of == flow and number in expected and zlib.crc32(data[4:]) == struct.unpack("!I", data[:4])[0]:
                            expected.remove(number)
                            right += 1
                        else:
                            wrong += 1
                    if not expected:
                        poll.unregister(descriptor)
                        del waiting[descriptor]
    print(json.dumps({"sent": sent, "right": right, "wrong": wrong, "missing": missing}), flush=True)


main()
