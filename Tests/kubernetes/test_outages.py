"""The API server is away, answers nonsense or forgets: what runs serves on, and what changed meanwhile is taken up."""

import kinds
import pytest
from objects import ingress, service
from processes import wait_for
from roadstead import ask, count
from test_services import NAME, wait_for_answers

pytestmark = pytest.mark.faults
# Seconds in which a client that backs off from 1 s, doubling, with jitter, has come back after a short outage.
BACK = 15


@pytest.fixture
def served(cluster, run, pods):
    """Roadstead with the example's Service, answered by pod-1."""
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    roadstead = run()
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("its status is written", lambda: cluster.addresses(NAME) == [first])
    roadstead.first = first
    return roadstead


def change_unheard(cluster, *endpoints, service_name: str = NAME) -> None:
    """Changes the endpoints in the storage, past the server that is away."""
    storage = cluster.server.storage
    name = storage.all(kinds.SLICE)[0].key[1]
    storage.patch(kinds.SLICE, cluster.namespace, name, {"endpoints": [one.entry for one in endpoints]})


def test_while_the_api_server_is_away_traffic_goes_on_and_status_says_so(cluster, served, pods):
    cluster.server.refuse()
    served.wait_for("it is said", lambda: served.connection == "unreachable")
    assert "unreachable" in served.status()
    change_unheard(cluster, pods[1].endpoint())
    cluster.server.storage.create(kinds.SERVICE, cluster.namespace, service("another"))
    assert count(served.first) == {"pod-1": 12}
    cluster.server.listen()
    served.wait_for("it is back", lambda: served.connection == "connected", BACK)
    wait_for_answers(served, served.first, "pod-2")
    served.wait_for("the new Service is served", lambda: cluster.addresses("another") == [cluster.block(51)])
    # One line on the way out and one on the way back is enough, whatever the number of watches.
    assert len(served.lines_with("unreachable")) <= 2


def test_a_short_outage_flaps_nothing(cluster, served):
    before = cluster.client.get(kinds.SERVICE, NAME)
    asked = len(cluster.server.requests)
    cluster.server.drop_connections()
    served.wait_for(
        "it watches anew", lambda: cluster.server.requests.of("roadstead", "watch", after=asked), BACK)
    cluster.create(kinds.SERVICE, service("another"))
    served.wait_for("the new Service is served", lambda: cluster.addresses("another"), BACK)
    assert cluster.client.get(kinds.SERVICE, NAME) == before
    assert ask(served.first) == "pod-1"


@pytest.mark.parametrize("as_status", [False, True], ids=["as an event", "as a status"])
def test_a_version_that_is_forgotten_is_listed_anew(cluster, served, pods, as_status):
    cluster.server.faults.gone_as_status = as_status
    cluster.server.refuse()
    served.wait_for("it is noticed", lambda: served.connection == "unreachable")
    change_unheard(cluster, pods[1].endpoint())
    cluster.server.storage.create(kinds.SERVICE, cluster.namespace, service("another"))
    cluster.server.storage.compact()
    asked = len(cluster.server.requests)
    cluster.server.listen()
    wait_for_answers_in_time(served, "pod-2")
    served.wait_for("the new Service is served", lambda: cluster.addresses("another"), BACK)
    lists = cluster.server.requests.of("roadstead", "list", "services", after=asked)
    assert lists and len(lists) <= 3
    served.wait_for("all is well", lambda: served.connection == "connected")


def wait_for_answers_in_time(roadstead, name: str) -> None:
    roadstead.wait_for(f"{name} answers", lambda: set(count(roadstead.first, 6)) == {name}, BACK)


def test_what_was_deleted_meanwhile_is_gone_after_a_new_list(cluster, served):
    cluster.server.refuse()
    served.wait_for("it is noticed", lambda: served.connection == "unreachable")
    cluster.server.storage.delete(kinds.SERVICE, cluster.namespace, NAME)
    cluster.server.storage.compact()
    assert ask(served.first) == "pod-1"
    cluster.server.listen()
    served.wait_for("it is served no more", lambda: ask(served.first) is None, BACK)


def test_watches_that_end_every_moment_lose_nothing(cluster, served, pods):
    for number in range(10):
        cluster.server.close_watches()
        cluster.publish(NAME, pods[number % 3].endpoint())
    wait_for_answers_in_time(served, "pod-1")


def test_a_watch_that_comes_byte_by_byte_is_read(cluster, run, pods):
    cluster.server.faults.splits_watches = True
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service(NAME, {"note": "Straße, 港, 🚢"}))
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")


@pytest.mark.parametrize("line", [
    b'{"type":"MODIFIED","object":{"metadata":{"name":\n', b"<html><body>502 Bad Gateway</body></html>\n",
    b'{"type":"MODIFIED","object":null}\n', b'{"type":"NONSENSE","object":{"metadata":{"name":"x"}}}\n',
    b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcdserver: no leader"}}\n',
    b"\xff\xfe\x00\n", b"[" * 100_000 + b"\n", b"x" * (40 << 20),
], ids=["cut", "html", "null", "unknown type", "server error", "bytes", "deep", "40 MB without an end"])
def test_a_line_that_is_no_event_does_no_harm(cluster, served, pods, line):
    assert cluster.server.inject("endpointslices", line) == 1
    cluster.publish(NAME, pods[2].endpoint())
    served.wait_for("what is right is heard", lambda: set(count(served.first, 6)) == {"pod-3"}, BACK)
    assert served.process.is_running and all(len(text) < 1000 for text in served.process.lines)


@pytest.mark.parametrize("status, body, headers", [
    (200, "<html><body>Log in, please</body></html>", {"content_type": "text/html"}),
    (200, '{"kind": "ServiceList", "items": [{"metadata"', {"content_type": "application/json"}),
    (302, "", {"Location": "https://example.com/login"}),
    (503, "<html>no upstream</html>", {"content_type": "text/html"}),
    (429, '{"kind": "Status", "code": 429, "message": "too many requests"}',
     {"content_type": "application/json", "Retry_After": "1"}),
    (200, "[]", {"content_type": "application/json"}),
], ids=["a login page", "cut JSON", "a redirect", "a gateway's page", "too many requests", "not an object"])
def test_an_answer_that_is_none_is_one_line_and_a_retry(cluster, run, status, body, headers):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    answer = cluster.server.faults.answer("/services", status, body, "GET", **headers)
    roadstead = run(wait=False)
    wait_for("it is asked for twice", lambda: len(
        cluster.server.requests.of("roadstead", "list", "services")) >= 2, within=10)
    # Before everything is listed nothing is given.
    stored = cluster.server.storage.get(kinds.SERVICE, cluster.namespace, NAME)
    assert ingress(stored.body) == [] and not roadstead.state()["cluster"]["isSynced"]
    assert len(roadstead.lines_with("service")) == 1, roadstead.process.lines
    cluster.server.faults.take_back(answer)
    roadstead.wait_for("it is listed", lambda: cluster.addresses(NAME) == [first], BACK)


def test_slow_lists_only_take_their_time(cluster, run):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    cluster.server.faults.list_delay = 1
    run()
    wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])


def test_lists_of_many_pages_are_read_whole(cluster, run):
    for number in range(1200):
        cluster.server.storage.create(kinds.SERVICE, cluster.namespace, service(f"a-{number:04}", type="ClusterIP"))
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    roadstead = run()
    roadstead.wait_for("the last one is served", lambda: cluster.addresses(NAME) == [first])
    lists = cluster.server.requests.of("roadstead", "list", "services")
    assert len(lists) >= 2 and "limit=" in lists[0].path and "continue=" in lists[1].path


def test_custom_kinds_that_the_cluster_learns_later_are_taken_up(cluster, run):
    cluster.server.faults.has_custom_kinds = False
    cluster.create(kinds.SERVICE, service())
    roadstead = run(wait=False)
    roadstead.wait_for("it is said", lambda: "metallb.io" in roadstead.status())
    cluster.server.faults.has_custom_kinds = True
    first = cluster.add_pool()
    # It looks again once in a while, at most every 30 seconds.
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first], within=40)
