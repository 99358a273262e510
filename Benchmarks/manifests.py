"""Services and EndpointSlices in a directory, as many as wanted, all on loopback."""

import os

PORT = 7080
POOL = "127.160.0.0-127.160.15.255"


def front(number):
    """The address of a Service."""
    return f"127.160.{number // 250}.{number % 250 + 1}"


def endpoint(number, which, count):
    """The address of an endpoint; no other Service has it."""
    index = number * count + which
    return f"127.{161 + index // 62500}.{index // 250 % 250}.{index % 250 + 1}"


def service(number, balance="round-robin", protocols=("TCP",)):
    ports = "".join(f"\n  - {{name: {protocol.lower()}, protocol: {protocol}, port: {PORT}}}" for protocol in protocols)
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: s-{number}
  annotations: {{metallb.io/loadBalancerIPs: {front(number)}, roadstead.dev/balance: {balance}}}
spec:
  type: LoadBalancer
  ports:{ports}
"""


def endpoint_slice(number, count, port, protocols=("TCP",)):
    """`count` endpoints, all at `port`."""
    ports = "".join(f"\n- {{name: {protocol.lower()}, protocol: {protocol}, port: {port}}}" for protocol in protocols)
    endpoints = "".join(
        f"\n- addresses: [{endpoint(number, which, count)}]\n  conditions: {{ready: true}}" for which in range(count))
    return f"""\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: s-{number}-a
  labels: {{kubernetes.io/service-name: s-{number}}}
addressType: IPv4
ports:{ports}
endpoints:{endpoints}
"""


POOL_OBJECT = f"""\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: all, namespace: metallb-system}}
spec: {{addresses: [{POOL}]}}
"""


class Directory:
    """A file for each Service and one for each slice, or one file for all."""

    def __init__(self, path, services, endpoints, port, balance="round-robin", is_one_file=False, protocols=("TCP",)):
        self.path, self.services, self.endpoints, self.is_one_file = path, services, endpoints, is_one_file
        self.ports = [port] * services
        self.protocols = protocols
        self.fixed = [service(number, balance, protocols) for number in range(services)]
        self.slices = [endpoint_slice(number, endpoints, port, protocols) for number in range(services)]
        self.write("pool.yaml", POOL_OBJECT)
        if is_one_file:
            self.write_all()
            return
        for number in range(services):
            self.write(f"s-{number}.yaml", self.fixed[number])
            self.write(f"s-{number}-slice.yaml", self.slices[number])

    def write(self, name, text):
        """As most tools do: beside it, and then in its place."""
        new = os.path.join(self.path, f".{name}")
        with open(new, "w") as file:
            file.write(text)
        os.rename(new, os.path.join(self.path, name))

    def write_all(self):
        self.write("all.yaml", "---\n".join(self.fixed + self.slices))

    def move(self, number, port):
        """Gives the endpoints of one Service another port."""
        self.slices[number] = endpoint_slice(number, self.endpoints, port, self.protocols)
        if self.is_one_file:
            self.write_all()
        else:
            self.write(f"s-{number}-slice.yaml", self.slices[number])
