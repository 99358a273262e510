"""One instance and its Lease: when it holds it, when it stands by, and what it does while it cannot ask."""

import kinds
import pytest
from client import now
from objects import ingress, lease, service
from roadstead import ask
from test_outages import BACK
from test_services import NAME, wait_for_answers

# Seconds: the Lease's duration, two retry periods, and one.
TAKEOVER = 3 + 2 * 0.5 + 1


@pytest.fixture
def name(cluster) -> str:
    return f"{cluster.namespace}/roadstead"


def holder(cluster) -> str:
    return cluster.client.get(kinds.LEASE, "roadstead")["spec"].get("holderIdentity") or ""


def test_a_single_instance_takes_the_lease_renews_it_and_gives_it_back(cluster, run, name):
    cluster.add_pool()
    roadstead = run("--identity", "one", lease=name)
    roadstead.wait_for("it holds the Lease", lambda: roadstead.role == "holder")
    first = cluster.client.get(kinds.LEASE, "roadstead")["spec"]
    assert (first["holderIdentity"], first["leaseDurationSeconds"]) == ("one", 3)
    assert first["acquireTime"] and first["renewTime"]
    roadstead.wait_for("it is renewed", lambda: cluster.client.get(kinds.LEASE, "roadstead")["spec"][
        "renewTime"] > first["renewTime"])
    assert cluster.client.get(kinds.LEASE, "roadstead")["spec"]["acquireTime"] == first["acquireTime"]
    assert name in roadstead.status()
    assert roadstead.process.stop() == 0
    assert holder(cluster) == ""


def test_without_a_lease_none_is_written(cluster, run):
    first = cluster.add_pool()
    roadstead = run(lease="none")
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    assert cluster.client.list(kinds.LEASE)["items"] == []


def test_while_another_holds_the_lease_it_writes_nothing_and_then_takes_over(cluster, run, name):
    first = cluster.add_pool()
    cluster.create(kinds.LEASE, lease("roadstead", "another", now(), duration=4))
    cluster.create(kinds.SERVICE, service())
    roadstead = run("--identity", "one", lease=name)
    roadstead.wait_for("it stands by", lambda: roadstead.role == "standby")
    assert "another" in roadstead.status()
    assert cluster.addresses(NAME) == [] and cluster.events(NAME) == []
    # Nobody renews it: it runs out, by the stand-by's own clock.
    roadstead.wait_for("it takes over", lambda: roadstead.role == "holder", within=TAKEOVER + 1)
    spec = cluster.client.get(kinds.LEASE, "roadstead")["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("one", 1)
    roadstead.wait_for("the Service has its address", lambda: cluster.addresses(NAME) == [first])


def test_a_stand_by_listens_on_what_the_holder_gave(cluster, run, pods, name):
    first = cluster.add_pool()
    cluster.create(kinds.LEASE, lease("roadstead", "another", now(), duration=3600))
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    given = [{"ip": first, "ipMode": "Proxy"}]
    cluster.client.patch(kinds.SERVICE, NAME, {"status": {"loadBalancer": {"ingress": given}}}, "status")
    roadstead = run(lease=name)
    roadstead.wait_for("it stands by", lambda: roadstead.role == "standby")
    wait_for_answers(roadstead, first, "pod-1")
    # The holder moves the Service elsewhere.
    second = cluster.block(51)
    given = [{"ip": second, "ipMode": "Proxy"}]
    cluster.client.patch(kinds.SERVICE, NAME, {"status": {"loadBalancer": {"ingress": given}}}, "status")
    wait_for_answers(roadstead, second, "pod-1")
    assert ask(first) is None


@pytest.mark.faults
def test_while_only_the_api_server_is_away_the_lease_is_unverified_and_all_goes_on(cluster, run, pods, name):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    roadstead = run("--identity", "one", lease=name)
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    wait_for_answers(roadstead, first, "pod-1")
    cluster.server.refuse()
    roadstead.wait_for("it is said", lambda: roadstead.role == "holder, unverified", within=TAKEOVER)
    assert "lease unverified" in roadstead.status() and roadstead.lines_with("lease unverified")
    assert ask(first) == "pod-1"
    cluster.server.listen()
    roadstead.wait_for("it is verified again", lambda: roadstead.role == "holder", BACK)
    assert ask(first) == "pod-1"
    assert cluster.client.get(kinds.LEASE, "roadstead")["spec"]["leaseTransitions"] == 0


@pytest.mark.faults
def test_a_server_that_is_silent_is_as_good_as_none(cluster, run, pods, name):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    roadstead = run(lease=name)
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("it holds the Lease", lambda: roadstead.role == "holder")
    cluster.server.faults.hangs = True
    try:
        roadstead.wait_for("it is said", lambda: roadstead.role == "holder, unverified", within=TAKEOVER)
        assert ask(first) == "pod-1"
    finally:
        cluster.server.faults.hangs = False
    roadstead.wait_for("it is verified again", lambda: roadstead.role == "holder", BACK)


@pytest.mark.faults
def test_a_holder_that_finds_another_one_named_yields(cluster, run, name):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    roadstead = run("--identity", "one", lease=name)
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    cluster.server.refuse()
    roadstead.wait_for("it is unverified", lambda: roadstead.role == "holder, unverified", within=TAKEOVER)
    storage = cluster.server.storage
    taken = lease("roadstead", "another", now(), duration=3600, transitions=1)
    storage.patch(kinds.LEASE, cluster.namespace, "roadstead", {"spec": taken["spec"]})
    storage.create(kinds.SERVICE, cluster.namespace, service("later"))
    cluster.server.listen()
    roadstead.wait_for("it stands by", lambda: roadstead.role == "standby", BACK)
    roadstead.wait_for("it has read all", lambda: roadstead.connection == "connected", BACK)
    later = storage.get(kinds.SERVICE, cluster.namespace, "later").body
    assert ingress(later) == [] and holder(cluster) == "another"
