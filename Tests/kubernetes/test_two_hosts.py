"""Two instances on a LAN and one Lease: who announces, and how it moves. In the lab's namespaces, so it needs root."""

import json
import sys
import time
from pathlib import Path

import namespaces
import pytest
from cluster import REAL
from example import announcement_line
from interfaces import holders, mac
from lan import URL, VIP
from neighbours import known
from processes import wait_for
from two_hosts import NAME, TwoHosts

LOAD = str(Path(__file__).parent / "load.py")
# Seconds from a death to the other's first answer: the Lease's duration, two retry periods, and one.
TAKEOVER = 3 + 2 * 0.5 + 1
CLIENTS = 4

missing = namespaces.missing()
pytestmark = [
    pytest.mark.skipif(missing is not None, reason=f"the lab is not run: {missing}"),
    pytest.mark.skipif(REAL is not None, reason="the API server is on the lab's LAN, where a real one is not")]


@pytest.fixture
def two(tmp_path, authority):
    with TwoHosts(tmp_path, authority) as two:
        yield two


def reaches(two, host) -> bool:
    """Whether the client is answered, and by that host."""
    return two.lan.curl("--max-time", "1", URL).startswith("pod-") and known(two.lan.client, VIP) == mac(host)


def test_the_holder_announces_and_after_its_death_the_other_does(two):
    lb, lb_2 = two.hosts
    first = two.start_holder(lb)
    second = two.start_standby(lb_2)
    assert two.holder() == "lb" and reaches(two, lb)
    assert holders(lb_2, VIP) == [] and not any("is announced on" in line for line in second.lines)
    assert two.cluster.addresses(NAME) == [VIP]
    killed = time.time()
    first.kill()
    wait_for("the client reaches the other", lambda: reaches(two, lb_2), within=killed + TAKEOVER - time.time())
    assert two.holder() == "lb-2" and two.role(lb_2) == "holder"
    assert any(announcement_line(VIP) in line for line in second.lines)
    wait_for("nothing is left on the first", lambda: holders(lb, VIP) == [], within=10)
    # What comes back stands by.
    third = two.start_standby(lb)
    assert two.holder() == "lb-2" and reaches(two, lb_2) and third.is_running
    (event, *_) = wait_for("it is said", lambda: [
        event for event in two.cluster.events(NAME, "nodeAssigned") if "lb-2" in json.dumps(event)])
    assert event["type"] == "Normal"


def test_at_sigterm_the_lease_moves_within_a_second(two):
    lb, lb_2 = two.hosts
    first = two.start_holder(lb)
    second = two.start_standby(lb_2)
    two.lan.curl(URL)
    stopped = time.time()
    first.signal(15)
    wait_for("the other holds the Lease", lambda: two.holder() == "lb-2", within=1)
    # The address is probed before it is taken; the other has left it by then.
    wait_for("the client reaches the other", lambda: reaches(two, lb_2), within=stopped + 2 - time.time())
    assert first.wait() == 0 and holders(lb, VIP) == [] and second.is_running


def test_while_only_the_api_server_is_away_nobody_moves(two):
    lb, lb_2 = two.hosts
    first, second = two.start_holder(lb), two.start_standby(lb_2)
    two.cluster.server.refuse()
    away = time.time()
    wait_for("the holder says so", lambda: two.role(lb) == "holder, unverified", within=TAKEOVER)
    # Time itself is the subject: twice as long as a Lease lasts.
    while time.time() < away + 2 * 3:
        assert two.lan.curl(URL).startswith("pod-")
        assert holders(lb, VIP) == ["eth0"] and holders(lb_2, VIP) == []
    assert two.role(lb_2) != "holder" and any("lease unverified" in line.lower() for line in first.lines)
    two.cluster.server.listen()
    wait_for("the Lease is verified again", lambda: two.role(lb) == "holder", within=15)
    assert two.holder() == "lb" and second.is_running


def test_an_upgrade_of_both_under_load_fails_no_request_but_those_in_flight(two):
    lb, lb_2 = two.hosts
    first, second = two.start_holder(lb), two.start_standby(lb_2)
    load = two.lan.client.start(sys.executable, LOAD, VIP, "8080", str(CLIENTS))
    load.wait_for_line("asking")
    # The stand-by first; the address moves once.
    assert second.stop() == 0
    second = two.start_standby(lb_2, identity="lb-2-new")
    moved = time.time()
    assert first.stop() == 0
    wait_for("the other announces", lambda: holders(lb_2, VIP) == ["eth0"], within=TAKEOVER)
    wait_for("it says so", lambda: any(announcement_line(VIP) in line for line in second.lines))
    settled = time.time()
    first = two.start_standby(lb, identity="lb-new")
    assert two.holder() == "lb-2-new"
    wait_for("the client is at the new one", lambda: reaches(two, lb_2))
    load.signal(15)
    load.wait(within=15)
    result = json.loads(load.lines[-1])
    print(f"{result['answered']} requests answered, {len(result['failed'])} failed, the longest took "
          f"{result['longest']:.2f} s; the move took {settled - moved:.2f} s")
    assert result["answered"] > 100
    # In flight when it moved: at most one of each client.
    assert len(result["failed"]) <= CLIENTS, result["failed"]
    for request in result["failed"]:
        assert request["began"] <= settled and request["ended"] >= moved, (request, moved, settled)
    assert first.is_running and second.is_running
