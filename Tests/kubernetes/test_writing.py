"""What is written to the cluster, and what is left to others."""

import threading
import time

import kinds
import pytest
from cluster import USER
from example import CHECKOUT
from objects import service
from roadstead import ask
from test_services import NAME, annotation, wait_for_answers

# Statuses a minute are no fight; these are those in two seconds.
CALM = 2


def is_calm(cluster, seconds: float) -> int:
    """Time itself is the subject: how many writes of Services' status there are in so long."""
    asked = len(cluster.server.requests)
    time.sleep(seconds)
    return len(cluster.server.requests.of(USER, "patch", "services/status", after=asked))


class Rival:
    """Another load balancer, that writes its own address whenever someone else's is there."""

    def __init__(self, cluster, address: str):
        self._cluster, self._address, self._ended = cluster, address, False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        storage = self._cluster.server.storage
        while not self._ended:
            if self._cluster.addresses(NAME) != [self._address]:
                storage.patch(kinds.SERVICE, self._cluster.namespace, NAME, {
                    "status": {"loadBalancer": {"ingress": [{"ip": self._address}]}}}, subresource="status",
                    manager="controller")
            time.sleep(0.02)

    def close(self) -> None:
        self._ended = True
        self._thread.join(10)


@pytest.mark.faults
def test_another_load_balancer_that_writes_the_status_is_reported_and_not_fought(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    rival = Rival(cluster, "192.0.2.1")
    try:
        (event, *_) = roadstead.wait_for(
            "it is reported", lambda: cluster.events(NAME, "AnotherLoadBalancer"), within=15)
        assert event["type"] == "Warning"
        assert is_calm(cluster, 2) <= CALM
        assert len(cluster.events(NAME, "AnotherLoadBalancer")) == 1
        assert ask(first) == "pod-1"
        # Others are written all the same.
        cluster.create(kinds.SERVICE, service("another"))
        roadstead.wait_for("the other Service has its address", lambda: cluster.addresses("another"))
    finally:
        rival.close()


def test_a_status_that_somebody_wiped_once_is_written_again(cluster, run):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    cluster.client.patch(kinds.SERVICE, NAME, {"status": {"loadBalancer": None}}, "status")
    roadstead.wait_for("it has it again", lambda: cluster.addresses(NAME) == [first])


@pytest.mark.faults
def test_where_the_server_drops_the_mode_an_event_says_that_kube_proxy_takes_the_traffic(cluster, run):
    cluster.server.storage.admission.drops_ip_mode = True
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    event = roadstead.wait_for("an event says so", lambda: cluster.events(NAME, "ProxyModeUnsupported"))[0]
    assert event["type"] == "Warning" and "kube-proxy" in event["message"]
    assert cluster.ingress(NAME)[0]["ip"] == first and "ipMode" not in cluster.ingress(NAME)[0]
    assert is_calm(cluster, 2) <= CALM


@pytest.mark.faults
def test_only_what_changed_is_patched_and_nothing_where_nothing_did(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service(NAME, {"kept": "as it is"}))
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("all is written", lambda: annotation(cluster, NAME) and cluster.condition(NAME, "Allocated"))
    patches = [one for one in cluster.server.requests.of(USER) if one.verb in ("patch", "update", "create", "delete")]
    for patch in patches:
        assert patch.verb == "patch" or patch.resource == "events", patch
        if patch.resource == "services":
            assert set(patch.json) == {"metadata"} and "labels" not in patch.json["metadata"]
        elif patch.resource == "services/status":
            assert set(patch.json) <= {"metadata", "status"}
    metadata = cluster.client.get(kinds.SERVICE, NAME)["metadata"]
    assert metadata["annotations"]["kept"] == "as it is"
    # Endpoints come and go without a word to the API server, where the outcome for the Service is the same.
    asked = len(cluster.server.requests)
    cluster.publish(NAME, pods[1].endpoint())
    wait_for_answers(roadstead, first, "pod-2")
    assert cluster.server.requests.of(USER, "patch", "services", after=asked) == []
    assert cluster.server.requests.of(USER, "patch", "services/status", after=asked) == []


@pytest.mark.faults
def test_conflicts_are_tried_again(cluster, run):
    first = cluster.add_pool()
    conflict = (
        '{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Conflict", "code": 409, "message": '
        '"Operation cannot be fulfilled on services"}')
    cluster.server.faults.answer(
        f"/{NAME}/status", 409, conflict, "PATCH", times=2, content_type="application/json")
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it is written", lambda: cluster.addresses(NAME) == [first], within=10)


@pytest.mark.faults
def test_a_right_that_is_missing_is_one_clear_line_and_stops_nothing_else(cluster, run, pods):
    cluster.server.users.deny(USER, "patch", "services")
    cluster.server.users.deny(USER, "create", "events")
    first = cluster.add_pool()
    roadstead = run()
    for name in (NAME, "another"):
        cluster.create(kinds.SERVICE, service(name))
        roadstead.wait_for("its status is written", lambda: cluster.addresses(name))
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    assert 1 <= len(roadstead.lines_with("forbidden", '"services"')) <= 2
    assert 1 <= len(roadstead.lines_with("forbidden", '"events"')) <= 2


@pytest.mark.faults
def test_the_rights_of_the_example_are_enough(cluster, run, pods):
    yaml = pytest.importorskip("yaml", reason="reads examples/in-cluster with python3-yaml")
    file = CHECKOUT / "examples/in-cluster/base/rbac.yaml"
    if not file.exists():
        pytest.skip(f"no {file}")
    rules = [rule for one in yaml.safe_load_all(file.read_text()) for rule in one.get("rules") or []]
    cluster.server.users.add(USER, cluster.token, rules=rules)
    first = cluster.add_pool()
    roadstead = run(lease=f"{cluster.namespace}/roadstead")
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("all is written", lambda: annotation(cluster, NAME) and cluster.condition(NAME, "Allocated"))
    roadstead.wait_for("it is said", lambda: cluster.events(NAME, "IPAllocated"))
    assert roadstead.process.stop() == 0
    assert [one for one in cluster.server.requests.of(USER) if one.status in (401, 403)] == []
