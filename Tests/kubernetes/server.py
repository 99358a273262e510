"""The API server of the tests: aiohttp over TLS in a thread of its own, in the process of the tests.

    server = Server(authority)
    server.users.add("roadstead", "a-token")
    server.storage.create(kinds.SERVICE, "default", {...})
    server.faults.splits_watches = True
    server.close_watches()
    server.close()

What kube-apiserver does with the same requests is in test_server.py, which can be run against one.
"""

import asyncio
import socket
import ssl
import threading

import kinds
from aiohttp import web
from certificates import Authority, Certificate
from faults import Faults
from handling import Handler
from requests_seen import Requests
from storage import Storage
from users import Users
from watching import Watches


class Server:
    """Up from its making to `close`; listens on a port of 127.0.0.1 that is free, and on `sockets` that are bound."""

    def __init__(self, authority: Authority, *sockets: socket.socket, names: tuple[str, ...] = ()):
        self.authority = authority
        self.storage, self.users, self.faults, self.requests = Storage(), Users(), Faults(), Requests()
        for name in ("default", "kube-system"):
            self.storage.create(kinds.NAMESPACE, "", {"metadata": {"name": name}})
        self._loop = asyncio.new_event_loop()
        self._watches = Watches(self.storage, self.faults, self._loop)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.verify_mode = ssl.CERT_OPTIONAL
        self._tls.load_verify_locations(authority.file)
        self.certificate = authority.server("127.0.0.1", "localhost", "kubernetes.default.svc", *names)
        self.use(self.certificate)
        self._given = sockets
        self._port: int | None = None
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-server", daemon=True)
        self._thread.start()
        self._call(self._start())

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def use(self, certificate: Certificate) -> None:
        """New connections see this certificate."""
        self._tls.load_cert_chain(certificate.certificate, certificate.key)

    def close_watches(self, resource: str | None = None) -> None:
        """Ends all watches, or those of `services` and so on, as a server does after a while."""
        self._call(self._watches.close(resource))

    def inject(self, resource: str, line: bytes) -> int:
        """Sends this to all watches of `services` and so on, and says to how many."""
        return self._call(self._watches.inject(resource, line))

    def watching(self, user: str | None = None) -> dict[str, int]:
        """How many watches there are, by resource."""
        return self._call(self._watches.count(user))

    def drop_connections(self) -> None:
        """Resets all that are there; new ones are taken."""
        self._call(self._drop())

    def refuse(self) -> None:
        """Listens no longer, and drops all connections."""
        self._call(self._stop_listening())

    def listen(self) -> None:
        """After `refuse`, on the same port."""
        self._call(self._listen())

    def close(self) -> None:
        self.faults.hangs = False
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for one in self._given:
            one.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _start(self) -> None:
        application = web.Application(client_max_size=64 << 20)
        handler = Handler(self.storage, self.users, self.faults, self.requests, self._watches)
        application.router.add_route("*", "/{path:.*}", handler.handle)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        port = self._port or 0
        options = {"ssl_context": self._tls, "shutdown_timeout": 0.1}
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True, **options).start()
        self._port = self._runner.addresses[0][1]
        for one in self._given:
            # A copy, so that the original can listen again after `refuse`.
            await web.SockSite(self._runner, one.dup(), **options).start()

    async def _stop_listening(self) -> None:
        for site in list(self._runner.sites):
            await site.stop()
        for one in self._given:
            # The last of its copies must not go on queueing connections.
            one.shutdown(socket.SHUT_RDWR)
        await self._drop()

    async def _drop(self) -> None:
        for connection in list(self._runner.server.connections):
            if connection.transport:
                connection.transport.abort()

    async def _end(self) -> None:
        await self._watches.close(None)
        await self._drop()
        await self._runner.cleanup()
