"""Three network namespaces in a row, client, router and backend, joined by veth pairs: what the kernel can do."""

import os
import subprocess

import contestants
from processes import Failed

PORT = 8080
CLIENT, BACKEND = "10.111.1", "10.111.2"
# Addresses of services, which the client reaches by way of the router.
SERVICE = "10.111.9"
# The kernel's side: connections to the service in turn to both endpoints, which answer by way of the router.
TABLE = f"""
table ip roadstead {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    ip daddr {SERVICE}.%d tcp dport {PORT} dnat to numgen inc mod 2 map {{ 0 : {BACKEND}.2, 1 : {BACKEND}.3 }}
  }}
}}
"""


class Router:
    """The place; its namespaces are removed by `close`, or by the guard of the run's directory."""

    topology = "router"

    def __init__(self, cores, scratch, nft):
        self.proxy_core, self.load_core = cores
        self.nft = nft
        self.names = {role: f"{scratch.name}-{role}" for role in ("client", "proxy", "endpoint")}
        self.endpoints = [(f"{BACKEND}.{number}", PORT) for number in (2, 3)]
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def front(self, contestant):
        return f"{SERVICE}.{50 + contestants.IDS.index(contestant.id)}", PORT

    def wrapper(self, role):
        return ["ip", "netns", "exec", self.names[role]]

    def enter(self, contestant):
        """The table is there only while the kernel is measured: it would watch the connections of the others too."""
        if contestant.id == "kernel":
            number = 50 + contestants.IDS.index("kernel")
            run([*self.wrapper("proxy"), self.nft, "-f", "-"], TABLE % number)

    def leave(self, contestant):
        if contestant.id == "kernel":
            run([*self.wrapper("proxy"), self.nft, "delete", "table", "ip", "roadstead"])

    def close(self):
        """Removes the namespaces; nothing may run in them any more."""
        for name in self.names.values():
            if os.path.exists(f"/run/netns/{name}"):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def _build(self):
        client, router, backend = self.names.values()
        run(["ip", "-batch", "-"], "\n".join([
            *(f"netns add {name}" for name in self.names.values()),
            f"link add name eth0 netns {client} type veth peer name eth0 netns {router}",
            f"link add name eth0 netns {backend} type veth peer name eth1 netns {router}",
        ]))
        for name, lines in {
            client: [f"address add {CLIENT}.2/24 dev eth0", "link set dev eth0 up",
                     f"route add default via {CLIENT}.1"],
            router: [f"address add {CLIENT}.1/24 dev eth0", f"address add {BACKEND}.1/24 dev eth1",
                     "link set dev eth0 up", "link set dev eth1 up",
                     *(f"address add {SERVICE}.{50 + number}/32 dev lo" for number in range(len(contestants.IDS)))],
            backend: [f"address add {BACKEND}.2/24 dev eth0", f"address add {BACKEND}.3/24 dev eth0",
                      "link set dev eth0 up", f"route add default via {BACKEND}.1"],
        }.items():
            run(["ip", "-n", name, "-batch", "-"], "\n".join(["link set dev lo up", *lines]))
            # As on loopback, where it is the default: ports of ended connections are used again after a second.
            run(["ip", "netns", "exec", name, "sh", "-ec", "echo 1 >/proc/sys/net/ipv4/ip_forward; "
                 "echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse"])


def missing():
    """Why there can be no namespaces here; None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"roadstead-bench-{os.getpid()}-try"
    try:
        run(["ip", "netns", "add", name])
        run(["ip", "netns", "delete", name])
    except (Failed, OSError) as error:
        return f"no network namespaces: {error}"
    return None


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
