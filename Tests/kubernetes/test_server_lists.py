"""The API server of the tests lists and watches as kube-apiserver does; run against one, these tests hold, too."""

import itertools

import kinds
import pytest
from client import Refused


def service(name: str, **labels: str) -> dict:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}


def names(listed: dict) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def version(of: dict) -> int:
    return int(of["metadata"]["resourceVersion"])


def seen(events, count: int) -> list[tuple[str, str, str]]:
    """Type, name and label of so many events of a watch."""
    return [
        (event["type"], event["object"]["metadata"]["name"], event["object"]["metadata"].get("labels", {}).get("x", ""))
        for event in itertools.islice(events, count)]


def test_a_list_has_a_version_and_its_items_do_not_say_what_they_are(cluster):
    made = cluster.create(kinds.SERVICE, service("a"))
    listed = cluster.client.list(kinds.SERVICE)
    assert (listed["kind"], listed["apiVersion"]) == ("ServiceList", "v1") and version(listed) >= version(made)
    assert "kind" not in listed["items"][0] and "apiVersion" not in listed["items"][0]


def test_all_pages_of_a_list_show_one_moment(cluster):
    for name in "abcde":
        cluster.create(kinds.SERVICE, service(name))
    first = cluster.client.list(kinds.SERVICE, limit=2)
    assert names(first) == ["a", "b"] and first["metadata"]["remainingItemCount"] == 3
    cluster.create(kinds.SERVICE, service("bb"))
    cluster.client.delete(kinds.SERVICE, "d")
    cluster.client.patch(kinds.SERVICE, "e", {"metadata": {"labels": {"x": "1"}}})
    second = cluster.client.list(kinds.SERVICE, limit=2, **{"continue": first["metadata"]["continue"]})
    third = cluster.client.list(kinds.SERVICE, limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(second) == ["c", "d"] and names(third) == ["e"]
    assert "labels" not in third["items"][0]["metadata"] or third["items"][0]["metadata"]["labels"] == {}
    assert version(first) == version(second) == version(third)
    assert "continue" not in third["metadata"] and "remainingItemCount" not in third["metadata"]
    assert names(cluster.client.list(kinds.SERVICE)) == ["a", "b", "bb", "c", "e"]


def test_pages_of_all_namespaces_are_in_the_order_of_namespace_and_name(cluster):
    for name in "ab":
        cluster.create(kinds.SERVICE, service(name))
    found, token = [], None
    while token is None or token:
        more = {"continue": token} if token else {}
        page = cluster.client.list(kinds.SERVICE, everywhere=True, limit=1, **more)
        found += [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page["items"]]
        token = page["metadata"].get("continue", "")
    assert found == sorted(found) and {(cluster.namespace, "a"), (cluster.namespace, "b")} <= set(found)


def test_selectors_choose_by_name_and_label(cluster):
    cluster.create(kinds.SERVICE, service("a", x="1"))
    cluster.create(kinds.SERVICE, service("b", x="2", y="z"))
    cluster.create(kinds.SERVICE, service("c"))
    for selector, expected in [
        ({"fieldSelector": "metadata.name=a"}, ["a"]), ({"fieldSelector": "metadata.name!=a"}, ["b", "c"]),
        ({"labelSelector": "x=2"}, ["b"]), ({"labelSelector": "x"}, ["a", "b"]), ({"labelSelector": "!x"}, ["c"]),
        ({"labelSelector": "x!=2"}, ["a", "c"]), ({"labelSelector": "x in (1,2),y notin (z)"}, ["a"]),
    ]:
        assert names(cluster.client.list(kinds.SERVICE, **selector)) == expected
    with pytest.raises(Refused, match="400: field label not supported: spec.none"):
        cluster.client.list(kinds.SERVICE, fieldSelector="spec.none=a")


def test_a_list_from_the_future_has_to_wait_for_it(cluster):
    with pytest.raises(Refused, match="504: Timeout: Too large resource version: 999999999, current: ") as refused:
        cluster.client.list(kinds.SERVICE, resourceVersion=999999999)
    assert refused.value.status["details"]["retryAfterSeconds"] == 1


def test_a_token_that_is_none_is_a_bad_request(cluster):
    with pytest.raises(Refused, match="400: .*continue key is not valid"):
        cluster.client.list(kinds.SERVICE, limit=1, **{"continue": "abc"})


def test_a_watch_tells_all_changes_after_its_version_in_order(cluster):
    cluster.create(kinds.SERVICE, service("before"))
    start = version(cluster.client.list(kinds.SERVICE))
    cluster.create(kinds.SERVICE, service("a"))
    cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"x": "1"}}})
    events = cluster.client.watch(kinds.SERVICE, resourceVersion=start)
    assert seen(events, 2) == [("ADDED", "a", ""), ("MODIFIED", "a", "1")]
    # And those that come while it is open.
    last = cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"x": "2"}}})
    cluster.client.delete(kinds.SERVICE, "a")
    event = next(events)
    assert event["object"] == last
    gone = next(events)
    assert gone["type"] == "DELETED" and version(gone["object"]) > version(last)
    assert gone["object"]["metadata"]["labels"] == {"x": "2"}


def test_a_watch_from_zero_begins_with_what_is_there(cluster):
    cluster.create(kinds.SERVICE, service("a"))
    assert seen(cluster.client.watch(kinds.SERVICE, resourceVersion=0), 1) == [("ADDED", "a", "")]


def test_a_watch_with_a_selector_hears_that_an_object_comes_and_leaves(cluster):
    start = version(cluster.client.list(kinds.SERVICE))
    cluster.create(kinds.SERVICE, service("other", x="2"))
    cluster.create(kinds.SERVICE, service("a"))
    for label in ("1", "1", "2"):
        cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"x": label, "y": label * 2}}})
    cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"x": "1", "y": "new"}}})
    cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"y": "newer"}}})
    cluster.client.delete(kinds.SERVICE, "a")
    events = cluster.client.watch(kinds.SERVICE, resourceVersion=start, labelSelector="x=1")
    assert seen(events, 5) == [
        ("ADDED", "a", "1"), ("DELETED", "a", "1"), ("ADDED", "a", "1"), ("MODIFIED", "a", "1"), ("DELETED", "a", "1")]


def test_a_watch_of_one_name_hears_of_no_other(cluster):
    start = version(cluster.client.list(kinds.LEASE))
    for name in "abc":
        cluster.create(kinds.LEASE, {"metadata": {"name": name}, "spec": {"holderIdentity": name}})
    cluster.client.patch(kinds.LEASE, "b", {"spec": {"holderIdentity": "x"}})
    events = cluster.client.watch(kinds.LEASE, resourceVersion=start, fieldSelector="metadata.name=b")
    assert [kind for kind, name, _ in seen(events, 2) if name == "b"] == ["ADDED", "MODIFIED"]


def test_a_watch_ends_when_its_time_is_over_with_a_bookmark_before(cluster):
    start = version(cluster.client.list(kinds.SERVICE))
    cluster.create(kinds.SERVICE, service("a"))
    events = cluster.client.watch(
        kinds.SERVICE, resourceVersion=start, timeoutSeconds=4, allowWatchBookmarks="true")
    assert next(events)["type"] == "ADDED"
    cluster.create(kinds.SERVICE, service("b"))
    made, *bookmarks = events
    assert made["type"] == "ADDED" and {event["type"] for event in bookmarks} == {"BOOKMARK"}
    last = bookmarks[0]["object"]
    assert (last["kind"], last["apiVersion"]) == ("Service", "v1")
    assert version(last) >= version(made["object"]) and "name" not in last["metadata"]


def test_a_watch_that_has_nothing_new_to_say_gets_no_bookmark(cluster):
    start = version(cluster.client.list(kinds.LEASE))
    events = cluster.client.watch(kinds.LEASE, resourceVersion=start, timeoutSeconds=3, allowWatchBookmarks="true")
    assert list(events) == []


def test_a_watch_that_did_not_ask_gets_no_bookmark(cluster):
    start = version(cluster.client.list(kinds.SERVICE))
    assert list(cluster.client.watch(kinds.SERVICE, resourceVersion=start, timeoutSeconds=1)) == []


def test_a_watch_from_no_version_at_all_is_refused(cluster):
    with pytest.raises(Refused, match='500: resourceVersion: Invalid value: "abc"'):
        list(cluster.client.watch(kinds.SERVICE, resourceVersion="abc", timeoutSeconds=1))


def test_a_watch_from_the_future_says_nothing(cluster):
    assert list(cluster.client.watch(kinds.SERVICE, resourceVersion=999999999, timeoutSeconds=1)) == []
