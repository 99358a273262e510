"""The lab itself: how hosts are added, and that nothing of it stays behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from example import NODES, Example, topology
from namespaces import Lab
from processes import LabError, wait_for
from topology import Host, Link, Topology

HERE = Path(__file__).parent

ROUTED = Topology(
    Host(
        "client", Link("front", "10.0.1.10/24", "fd00:1::10/64"),
        routes=["default via 10.0.1.1", "default via fd00:1::1"]),
    Host(
        "router", Link("front", "10.0.1.1/24", "fd00:1::1/64"), Link("back", "10.0.2.1/24", "fd00:2::1/64"),
        forwards=True),
    Host(
        "server", Link("back", "10.0.2.10/24", "fd00:2::10/64"),
        routes=["default via 10.0.2.1", "default via fd00:2::1"]))

# What another process does with a lab, until it is ended from outside.
HOLDER = """
import signal, sys
from namespaces import Lab
from test_lab import ROUTED
# As at a terminal, also where the tests themselves run in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Lab(ROUTED) as lab:
    lab.host("server").start("sleep", "1000")
    lab.host("server").start("sh", "-c", "sleep 1000; true")
    print(lab.name, lab.directory, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("url", ["http://10.0.2.10:80/", "http://[fd00:2::10]:80/"])
def test_a_router_is_one_more_host(url):
    with Lab(ROUTED) as lab:
        lab.host("server").start(sys.executable, "-m", "http.server", "80", "--bind", "::")
        curl = ["curl", "--silent", "--fail", "--noproxy", "*", "--max-time", "2", "--output", "/dev/null", url]
        wait_for("the server answers over the router", lambda: lab.host("client").run(*curl) == "")
        lab.host("router").ip("link", "set", "eth1", "down")
        with pytest.raises(LabError, match="exit code"):
            lab.host("client").run(*curl)


def test_hosts_are_added_to_the_example_as_the_page_says():
    network = topology().with_hosts(
        Host("lb-2", Link("front", "10.101.0.3/24"), Link("back", "192.168.118.3/24")),
        Host("router", Link("front", "10.101.0.1/24"), Link("far", "10.9.0.1/24"), forwards=True),
        Host("stranger", Link("far", "10.9.0.2/24"), routes=["default via 10.9.0.1"]))
    with Example(network) as example:
        example.host("lb").ip("route", "add", "10.9.0.0/24", "via", "10.101.0.1")
        example.roadstead()
        curl = ["curl", "--silent", "--noproxy", "*", "--max-time", "5"]
        assert example.host("stranger").run(*curl, "http://10.101.0.50:8080/") == "pod-1\n"
        assert example.host("lb-2").run(*curl, f"http://{NODES['node-1']}:31231/") == "web-on-node-1\n"


@pytest.mark.without_root
def test_a_topology_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="two hosts are called a"):
        Topology(Host("a"), Host("a"))
    with pytest.raises(ValueError, match="prefix length is missing"):
        Link("front", "10.0.0.1")
    with pytest.raises(ValueError, match="does not appear to be"):
        Link("front", "10.0.0.256/24")
    with pytest.raises(ValueError, match="longer than"):
        Topology(Host("a-host-with-a-long-name", Link("front")))


def test_nothing_stays_when_a_test_fails():
    with pytest.raises(RuntimeError, match="as a test does"):
        with Lab(ROUTED) as lab:
            process = lab.host("server").start("sleep", "1000")
            raise RuntimeError("as a test does")
    assert left_of(lab.name, lab.directory) == []
    assert not process.is_running


def test_nothing_stays_of_a_lab_that_could_not_be_built():
    before = namespaces()
    with pytest.raises(LabError, match="no-such-route"):
        Lab(Topology(Host("a", Link("front", "10.0.0.1/24"), routes=["no-such-route"])))
    assert [name for name in namespaces() if name not in before and f"roadstead-{os.getpid()}-" in name] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_stays_of_a_process_that_is_ended(number):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True) as holder:
        name, directory = holder.stdout.readline().split()
        inside = wait_for("three run inside", lambda: len(found := processes(f"{name}-server")) == 3 and found)
        assert len(left_of(name, directory)) == 5
        holder.send_signal(number)
        assert holder.wait(10) != 0
    wait_for("all of it is removed", lambda: left_of(name, directory) == [])
    wait_for("all that ran inside has ended", lambda: not any(runs(number) for number in inside))


def namespaces() -> list[str]:
    return sorted(path.name for path in Path("/run/netns").iterdir())


def processes(namespace: str) -> list[str]:
    return subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split()


def runs(process: str) -> bool:
    """Whether a process is there and no zombie, which is for its new parent to bury."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def left_of(name: str, directory) -> list[str]:
    """The namespaces of a lab and its directory, as far as they are there."""
    there = [entry for entry in namespaces() if entry.startswith(f"{name}-")]
    return there + [str(directory)] * Path(directory).exists()
