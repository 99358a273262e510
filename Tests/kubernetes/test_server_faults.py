"""The faults of the tests' API server happen as they are asked for; and it is quick enough for large clusters."""

import http.client
import json
import threading
import time

import kinds
import pytest
from client import Access, Client, Refused
from processes import wait_for
from test_server_lists import names, service, version

pytestmark = pytest.mark.faults
# Seconds: a load-balanced cluster's first list, and 500 EndpointSlices of 100 endpoints.
LARGE, WITHIN = 5000, 5


def reader(events) -> list:
    """What a watch says, as it comes; a last None when it is over."""
    heard: list = []

    def read():
        try:
            heard.extend(iter(lambda: next(events, None), None))
        except (OSError, http.client.HTTPException, ValueError) as error:
            heard.append(error)
        heard.append(None)
    threading.Thread(target=read, daemon=True).start()
    return heard


def test_after_a_compaction_a_watch_is_told_by_an_event_or_by_the_status(cluster):
    start = version(cluster.client.list(kinds.SERVICE))
    cluster.create(kinds.SERVICE, service("a")), cluster.create(kinds.SERVICE, service("b"))
    page = cluster.client.list(kinds.SERVICE, everywhere=True, limit=1)
    cluster.server.storage.compact()
    (event,) = cluster.client.watch(kinds.SERVICE, resourceVersion=start)
    assert event["type"] == "ERROR" and (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {start} (")
    cluster.server.faults.gone_as_status = True
    with pytest.raises(Refused, match="410: too old resource version"):
        list(cluster.client.watch(kinds.SERVICE, resourceVersion=start))
    with pytest.raises(Refused, match="410: The provided continue parameter is too old") as refused:
        cluster.client.list(kinds.SERVICE, limit=1, **{"continue": page["metadata"]["continue"]})
    rest = {"continue": refused.value.status["metadata"]["continue"]}
    assert names(cluster.client.list(kinds.SERVICE, everywhere=True, **rest)) == ["b"]
    start = version(cluster.client.list(kinds.SERVICE))
    assert list(cluster.client.watch(kinds.SERVICE, resourceVersion=start, timeoutSeconds=1)) == []


def test_an_open_watch_lives_through_a_compaction(cluster):
    heard = reader(cluster.client.watch(kinds.SERVICE, resourceVersion=version(cluster.client.list(kinds.SERVICE))))
    wait_for("the watch is open", lambda: cluster.server.watching() == {"services": 1})
    cluster.server.storage.compact()
    cluster.create(kinds.SERVICE, service("a"))
    wait_for("it goes on", lambda: [event["type"] for event in heard] == ["ADDED"])


def test_watches_are_closed_and_get_lines_that_are_none(cluster):
    heard = reader(cluster.client.watch(kinds.SERVICE))
    wait_for("the watch is open", lambda: cluster.server.watching("admin") == {"services": 1})
    cluster.server.close_watches("pods")
    assert cluster.server.inject("services", b'{"type":"BOOKMARK","object":{"metadata":{}}}\n') == 1
    wait_for("the line comes", lambda: len(heard) == 1)
    cluster.server.close_watches("services")
    wait_for("it ends", lambda: heard[1:] == [None])
    assert cluster.server.watching() == {}


def test_watches_come_byte_by_byte(cluster):
    cluster.server.faults.splits_watches = True
    made = cluster.create(kinds.SERVICE, service("a"))
    assert next(cluster.client.watch(kinds.SERVICE, resourceVersion=0))["object"] == made


def test_a_server_that_hangs_answers_when_it_goes_on(cluster):
    heard = reader(cluster.client.watch(kinds.SERVICE))
    wait_for("the watch is open", lambda: cluster.server.watching() == {"services": 1})
    cluster.server.faults.hangs = True
    answers: list = []
    asking = threading.Thread(target=lambda: answers.append(cluster.create(kinds.SERVICE, service("a"))), daemon=True)
    asking.start()
    wait_for("the request is there", lambda: cluster.server.requests.of("admin", "create", "services"))
    asking.join(0.2)
    assert answers == [] and heard == []
    cluster.server.faults.hangs = False
    wait_for("all is answered", lambda: answers and heard)


def test_a_server_that_is_away_comes_back_on_its_port(cluster):
    heard = reader(cluster.client.watch(kinds.SERVICE))
    wait_for("the watch is open", lambda: cluster.server.watching() == {"services": 1})
    cluster.server.refuse()
    wait_for("the watch ends", lambda: heard and heard[-1] is None)
    with pytest.raises(ConnectionRefusedError):
        cluster.client.list(kinds.SERVICE)
    cluster.server.listen()
    assert cluster.client.list(kinds.SERVICE)["items"] == []


def test_answers_are_replaced_as_often_as_is_wanted(cluster):
    cluster.server.faults.answer("/services", 503, "<html>no</html>", "GET", times=2, content_type="text/html")
    moved = cluster.server.faults.answer("/pods", 302, Location="https://example.com/")
    for _ in range(2):
        with pytest.raises(Refused, match="503: <html>"):
            cluster.client.list(kinds.SERVICE)
    assert cluster.client.list(kinds.SERVICE)["items"] == []
    with pytest.raises(Refused, match="302"):
        cluster.client.list(kinds.POD)
    cluster.server.faults.take_back(moved)
    assert cluster.client.list(kinds.POD)["items"] == []


def test_rights_are_those_of_rules_and_are_taken_away(cluster):
    rules = [{"apiGroups": [""], "resources": ["services", "services/status"], "verbs": ["get", "list", "patch"]},
             {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["r"], "verbs": ["*"]}]
    users = cluster.server.users
    users.add("limited", "limited-token", rules=rules)
    limited = Client(Access(cluster.server.url, cluster.access.authority, "limited-token"), cluster.namespace)
    cluster.create(kinds.SERVICE, service("a"))
    limited.patch(kinds.SERVICE, "a", {"status": {"conditions": []}}, "status")
    with pytest.raises(Refused, match='404: leases.coordination.k8s.io "r" not found'):
        limited.get(kinds.LEASE, "r")
    with pytest.raises(Refused, match=(
            f'403: services "a" is forbidden: User "limited" cannot delete resource "services" in API group "" in the '
            f'namespace "{cluster.namespace}"')):
        limited.delete(kinds.SERVICE, "a")
    with pytest.raises(Refused, match="403"):
        limited.get(kinds.LEASE, "s")
    users.deny("limited", "patch", "services/status")
    with pytest.raises(Refused, match="403: .*services/status"):
        limited.patch(kinds.SERVICE, "a", {}, "status")
    users.allow_again()
    limited.patch(kinds.SERVICE, "a", {}, "status")


def test_tokens_are_rotated(cluster):
    users, client = cluster.server.users, Client(cluster.roadstead)
    client.list(kinds.SERVICE)
    users.issue("roadstead", "new-token")
    users.revoke(cluster.token)
    with pytest.raises(Refused, match="401"):
        client.list(kinds.SERVICE)
    Client(Access(cluster.server.url, cluster.access.authority, "new-token")).list(kinds.SERVICE)


def test_a_certificate_says_who_one_is(cluster, authority):
    cluster.server.users.add("by-certificate")
    made = authority.client("by-certificate", "system:nodes")
    client = Client(Access(cluster.server.url, authority.file, certificate=made.certificate, key=made.key))
    client.list(kinds.SERVICE)
    (seen,) = cluster.server.requests.of("by-certificate")
    assert (seen.verb, seen.resource, seen.status, seen.user_agent) == ("list", "services", 200, "tests/1")


def test_a_certificate_that_is_over_is_seen_by_the_next_connection(cluster, authority):
    cluster.server.use(authority.server("127.0.0.1", days=-1))
    with pytest.raises(OSError, match="certificate has expired"):
        cluster.client.list(kinds.SERVICE)
    cluster.server.use(cluster.server.certificate)
    cluster.client.list(kinds.SERVICE)


def test_ip_mode_is_dropped_and_custom_kinds_are_unknown_as_in_other_clusters(cluster):
    cluster.server.storage.admission.drops_ip_mode = True
    cluster.create(kinds.SERVICE, service("a"))
    written = cluster.client.patch(
        kinds.SERVICE, "a", {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ipMode": "Proxy"}]}}}, "status")
    assert written["status"]["loadBalancer"]["ingress"] == [{"ip": "1.2.3.4"}]
    cluster.server.faults.has_custom_kinds = False
    with pytest.raises(Refused, match="404: 404 page not found"):
        cluster.client.list(kinds.POOL)


def test_five_thousand_services_and_fifty_thousand_endpoints_are_no_burden(cluster):
    storage, start = cluster.server.storage, time.monotonic()
    for number in range(LARGE):
        storage.create(kinds.SERVICE, cluster.namespace, service(f"s-{number}"))
    for number in range(LARGE // 10):
        endpoints = [
            {"addresses": [f"10.{number % 200}.{host}.1"], "conditions": {"ready": True}} for host in range(100)]
        storage.create(kinds.SLICE, cluster.namespace, {
            "metadata": {"name": f"e-{number}"}, "addressType": "IPv4", "endpoints": endpoints,
            "ports": [{"port": 80}]})
    made = time.monotonic()
    listed, token = [], ""
    while True:
        page = cluster.client.list(kinds.SERVICE, limit=500, **({"continue": token} if token else {}))
        listed += page["items"]
        if not (token := page["metadata"].get("continue", "")):
            break
    assert len(listed) == LARGE
    assert sum(len(one["endpoints"]) for one in cluster.client.list(kinds.SLICE)["items"]) == LARGE * 10
    read = time.monotonic()
    assert made - start < WITHIN and read - made < WITHIN, (made - start, read - made)
    print(json.dumps({"made": made - start, "read": read - made}))
