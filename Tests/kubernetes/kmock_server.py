"""Runs in an environment that has kmock: its API server, until standard input ends. Prints its URL first.

Each further line on standard input is a request to it: method, path, and JSON.
"""

import asyncio
import json
import sys

import aiohttp
import kmock

RESOURCES = (
    "v1/services", "v1/pods", "v1/nodes", "v1/namespaces", "v1/events", "discovery.k8s.io/v1/endpointslices",
    "coordination.k8s.io/v1/leases", "metallb.io/v1beta1/ipaddresspools", "metallb.io/v1beta1/l2advertisements")


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with kmock.KubernetesEmulator() as emulator, kmock.Server(emulator) as server:
        for resource in RESOURCES:
            emulator.resources[resource] = {}
        print(str(server.url).rstrip("/"), flush=True)
        async with aiohttp.ClientSession() as session:
            while line := (await lines.readline()).decode():
                method, path, body = line.split(" ", 2)
                async with session.request(method, str(server.url).rstrip("/") + path, json=json.loads(body)) as answer:
                    print(answer.status, flush=True)


asyncio.run(main())
