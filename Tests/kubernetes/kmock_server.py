"""Runs in an environment that has kmock: its API server, until standard input ends. Prints its URL first.

Each further line on standard input is a request to it: method, path, and JSON.

kmock 0.8 takes /api/v1/namespaces for something inside a namespace and fails, so what stands before it answers that.
"""

import asyncio
import json
import sys

import aiohttp
import kmock
from aiohttp import web

RESOURCES = (
    "v1/services", "v1/pods", "v1/nodes", "v1/namespaces", "v1/events", "discovery.k8s.io/v1/endpointslices",
    "coordination.k8s.io/v1/leases", "metallb.io/v1beta1/ipaddresspools", "metallb.io/v1beta1/l2advertisements")


class Front:
    """Passes everything on to kmock, but for the list and the watch of Namespaces: there are none."""

    def __init__(self, behind: str, session: aiohttp.ClientSession):
        self._behind, self._session = behind, session

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/namespaces":
            if "watch" in request.query:
                await asyncio.sleep(300)
            return web.json_response({"kind": "NamespaceList", "metadata": {"resourceVersion": "1"}, "items": []})
        headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
        async with self._session.request(
                request.method, self._behind + request.path_qs, data=await request.read(), headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response


async def start_front(behind: str, session: aiohttp.ClientSession) -> str:
    """Returns its URL; it goes with the process."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", Front(behind, session).answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with kmock.KubernetesEmulator() as emulator, kmock.Server(emulator) as server:
        for resource in RESOURCES:
            emulator.resources[resource] = {}
        behind = str(server.url).rstrip("/")
        # A watch has no end of its own.
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            print(await start_front(behind, session), flush=True)
            while line := (await lines.readline()).decode():
                method, path, body = line.split(" ", 2)
                async with session.request(method, behind + path, json=json.loads(body)) as answer:
                    print(answer.status, flush=True)


asyncio.run(main())
