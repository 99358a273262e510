"""Addresses go from host to host: after a death by any signal, at the end of a drain, and back."""

import signal
import time

from capture import Capture
from example import BINARY, announcement_line, wait_until_announced
from interfaces import AddressWatch, holders, mac
from lan import URL, URL6, VIP, VIP6
from neighbours import known
from processes import wait_for

FIFTY = [f"10.101.0.{last}" for last in range(100, 150)]


def test_two_hosts_with_the_same_files_take_over_from_each_other(lan):
    first = lan.both()
    second = lan.roadstead(on="lb-2", announced_on=None)
    for address in (VIP, VIP6):
        lan.wait_until_said(second, address, f"address already in use by {mac(lan.lb)}")
    assert lan.curl(URL) == "pod-1"
    assert holders(lan.lb_2, VIP) == holders(lan.lb_2, VIP6) == []
    # No chance to withdraw anything: the kernel does.
    killed = time.time()
    first.kill()
    for address in (VIP, VIP6):
        wait_for(f"{address} is gone from lb", lambda: not holders(lan.lb, address), within=killed + 10 - time.time())
    for address in (VIP, VIP6):
        wait_until_announced(second, address, within=killed + 15 - time.time())
    assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"
    assert known(lan.client, VIP) == known(lan.client, VIP6) == mac(lan.lb_2)
    # The way back, well ordered.
    third = lan.roadstead(announced_on=None)
    third.wait_for_line(f"address already in use by {mac(lan.lb_2)}")
    stopped = time.time()
    assert second.stop() == 0
    assert holders(lan.lb_2, VIP) == holders(lan.lb_2, VIP6) == []
    for address in (VIP, VIP6):
        wait_until_announced(third, address, within=stopped + 7 - time.time())
    assert lan.curl(URL).startswith("pod-")


def test_a_client_that_knew_the_old_host_reaches_the_new_one_within_a_second(lan):
    first = lan.both()
    lan.curl(URL), lan.curl(URL6)
    assert known(lan.client, VIP) == known(lan.client, VIP6) == mac(lan.lb)
    assert first.stop() == 0
    new = mac(lan.lb_2)
    capture = Capture(lan.lb_2)
    lan.both(on="lb-2")
    for address, url in ((VIP, URL), (VIP6, URL6)):
        told = capture.wait_for("the first frame", lambda: capture.gratuitous(new, address))[0].time
        capture.wait_for("the client knows", lambda: known(lan.client, address) == new)
        assert lan.curl("--max-time", "1", url).startswith("pod-")
        assert time.time() - told < 1


def test_sigterm_lets_a_connection_end_in_its_own_time(lan):
    process = lan.both()
    connection = lan.connection()
    connection.signal(signal.SIGUSR1)
    connection.wait_for_line("pod-")
    process.signal(signal.SIGTERM)
    wait_for("new connections are refused", lambda: lan.is_refused(URL))
    # Nobody is connected to the other address: a second host may have it.
    wait_for(f"{VIP6} is gone", lambda: not holders(lan.lb, VIP6), within=2)
    for number in range(2):
        seen = len(connection.lines)
        connection.signal(signal.SIGUSR1)
        connection.wait_for_line("pod-", after=seen)
    assert process.is_running and holders(lan.lb, VIP) == ["eth0"]
    assert "draining: stays until 1 connection has ended" in lan.explain("hostname-svc-lb")
    connection.signal(signal.SIGUSR2)
    assert connection.wait() == 0
    assert process.wait(within=2) == 0
    assert holders(lan.lb, VIP) == holders(lan.lb, VIP6) == []


def test_a_leftover_of_a_killed_process_is_taken_over_without_a_gap(lan):
    process = lan.both()
    watch = AddressWatch(lan.lb)
    process.kill()
    killed = time.time()
    lan.both()
    assert time.time() - killed < 2
    for address in (VIP, VIP6):
        # By the new one, for the old one renewed it once at most.
        wait_for(f"{address} is renewed", lambda: len(watch.events(address)) >= 3, within=8)
        assert watch.gone(address) == []
    assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"


def test_fifty_addresses_move_and_none_is_on_two_hosts(lan):
    manifests = lan.lab.directory / "fifty"
    manifests.mkdir()
    (manifests / "pool.yaml").write_text(POOL.format(first=FIFTY[0], last=FIFTY[-1]))
    for number, address in enumerate(FIFTY):
        (manifests / f"service-{number}.yaml").write_text(SERVICE.format(number=number, address=address))
    for pod in lan.manifests.glob("pod-*.yaml"):
        (manifests / pod.name).write_text(pod.read_text())
    watches = {host: AddressWatch(host) for host in (lan.lb, lan.lb_2)}
    first = lan.roadstead(manifests=manifests, announced_on=None)
    wait_until_all_announced(first)
    second = lan.roadstead(manifests=manifests, on="lb-2", announced_on=None)
    for address in FIFTY:
        lan.wait_until_said(second, address, f"address already in use by {mac(lan.lb)}")
    assert first.stop() == 0
    wait_until_all_announced(second, within=7)
    for address in FIFTY:
        (left,) = watches[lan.lb].gone(address)
        taken = watches[lan.lb_2].events(address)[0]
        assert left.time < taken.time, f"{address} was on both hosts"
        assert holders(lan.lb_2, address) == ["eth0"]
    assert not set(FIFTY) & {one for address in FIFTY for one in holders(lan.lb, address)}
    assert lan.curl(f"http://{FIFTY[0]}:8080/").startswith("pod-")
    assert lan.curl(f"http://{FIFTY[-1]}:8080/").startswith("pod-")


def wait_until_all_announced(process, within: float = 10) -> None:
    wait_for("all fifty are announced", lambda: all(
        any(announcement_line(address) in line for line in process.lines) for address in FIFTY), within)


def test_a_blocked_control_plane_loses_no_address(lan):
    watch = AddressWatch(lan.lb)
    # What reads manifests and writes the log is blocked once it has said what to announce, for longer than an address
    # lives unless renewed.
    words = ["env", "ROADSTEAD_TEST_BLOCK_CONTROL=20", BINARY, "run", "-f", str(lan.manifests)]
    process = lan.lb.start(*words)
    for address in (VIP, VIP6):
        wait_for(f"{address} is announced", lambda: holders(lan.lb, address))
    (lan.manifests / "pod-1.yaml").unlink()
    end = time.monotonic() + 12
    while time.monotonic() < end:
        assert lan.curl(URL).startswith("pod-") and lan.curl(URL6) == "pod-6"
    assert not any("2 endpoints" in line for line in process.lines), "it was not blocked"
    for address in (VIP, VIP6):
        assert watch.gone(address) == []
        assert len(watch.events(address)) >= 5


POOL = """\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: fifty
spec:
  addresses:
  - {first}-{last}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: fifty
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: service-{number}
  annotations:
    metallb.io/loadBalancerIPs: {address}
spec:
  type: LoadBalancer
  ports:
  - port: 8080
    targetPort: 80
  selector:
    app: webserver
"""
