"""A Service in a cluster becomes a load balancer: its address, its endpoints, its status, and its end."""

import kinds
from objects import PORT, pod, service
from roadstead import ask, count

NAME = "hostname-svc-lb"


def wait_for_answers(roadstead, address: str, *names: str | None) -> None:
    """Until all of these answer and nobody else."""
    roadstead.wait_for(f"{names} answer at {address}", lambda: set(count(address, 6)) == set(names))


def test_the_examples_service_gets_the_pools_first_address_and_traffic_follows_its_pods(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("the Service has its address", lambda: cluster.addresses(NAME) == [first])
    (entry,) = cluster.ingress(NAME)
    assert entry["ipMode"] == "Proxy"
    one, two, three = pods
    # They come,
    cluster.publish(NAME, one.endpoint(), two.endpoint())
    wait_for_answers(roadstead, first, "pod-1", "pod-2")
    cluster.publish(NAME, one.endpoint(), two.endpoint(), three.endpoint(is_ready=False))
    assert set(count(first)) == {"pod-1", "pod-2"}
    # become ready,
    cluster.publish(NAME, one.endpoint(), two.endpoint(), three.endpoint())
    wait_for_answers(roadstead, first, "pod-1", "pod-2", "pod-3")
    assert count(first, 30) == {"pod-1": 10, "pod-2": 10, "pod-3": 10}
    # terminate, and leave.
    cluster.publish(NAME, one.endpoint(), two.endpoint(is_terminating=True, is_serving=True), three.endpoint())
    wait_for_answers(roadstead, first, "pod-1", "pod-3")
    cluster.publish(NAME, three.endpoint())
    wait_for_answers(roadstead, first, "pod-3")
    # The Service is deleted, and its address is free for another.
    cluster.client.delete(kinds.SERVICE, NAME)
    wait_for_answers(roadstead, first, None)
    cluster.create(kinds.SERVICE, service("another", {"metallb.io/loadBalancerIPs": first}))
    roadstead.wait_for("another has it", lambda: cluster.addresses("another") == [first])


def test_a_slice_of_many_endpoints_is_followed_by_patches_too(cluster, run, pods):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, *(pod.endpoint() for pod in pods))
    roadstead = run()
    wait_for_answers(roadstead, first, "pod-1", "pod-2", "pod-3")
    name = cluster.client.list(kinds.SLICE)["items"][0]["metadata"]["name"]
    cluster.client.patch(kinds.SLICE, name, {"endpoints": [pods[0].endpoint().entry]})
    roadstead.wait_for("what was taken out gets nothing", lambda: "pod-1" in count(first, 6) and (
        cluster.server is None or set(count(first, 6)) == {"pod-1"}))


def test_pods_by_selector_are_the_endpoints_where_that_is_asked_for(cluster, run, pods):
    first = cluster.add_pool()
    cluster.create(kinds.SERVICE, service())
    roadstead = run("--endpoints", "pods")
    if cluster.server is None:
        # The backends are on one address there and differ by port, which pods of one Service do not.
        cluster.client.patch(kinds.SERVICE, NAME, {"spec": {"ports": [
            {"name": "webserver", "port": PORT, "targetPort": pods[0].port}]}})
    body, status = pod("pod-1", pods[0].address)
    cluster.create(kinds.POD, body)
    cluster.client.patch(kinds.POD, "pod-1", status, "status")
    wait_for_answers(roadstead, first, "pod-1")
    _, status = pod("pod-1", pods[0].address, is_ready=False)
    cluster.client.patch(kinds.POD, "pod-1", status, "status")
    wait_for_answers(roadstead, first, None)


def test_a_service_that_has_a_class_is_let_be(cluster, run):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service("a-classed", loadBalancerClass="example.com/other"))
    cluster.create(kinds.SERVICE, service("b-plain"))
    roadstead.wait_for("the other one has an address", lambda: cluster.addresses("b-plain") == [first])
    classed = cluster.client.get(kinds.SERVICE, "a-classed")
    assert classed["status"] == {"loadBalancer": {}} and not classed["metadata"].get("annotations")
    assert cluster.events("a-classed") == []


def test_only_services_of_its_class_are_served_where_there_is_one(cluster, run):
    first = cluster.add_pool()
    roadstead = run("--load-balancer-class", "example.com/roadstead")
    cluster.create(kinds.SERVICE, service("a-plain"))
    cluster.create(kinds.SERVICE, service("b-other", loadBalancerClass="example.com/other"))
    cluster.create(kinds.SERVICE, service("c-ours", loadBalancerClass="example.com/roadstead"))
    roadstead.wait_for("ours has an address", lambda: cluster.addresses("c-ours") == [first])
    assert cluster.addresses("a-plain") == cluster.addresses("b-other") == []


def test_a_service_that_is_no_load_balancer_any_more_is_cleaned_up(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("its pool is named", lambda: annotation(cluster, NAME) == "lab")
    cluster.client.patch(kinds.SERVICE, NAME, {"spec": {"type": "ClusterIP"}})
    wait_for_answers(roadstead, first, None)
    roadstead.wait_for("nothing of ours is left", lambda: annotation(cluster, NAME) is None and (
        cluster.addresses(NAME) == [] and not cluster.condition(NAME, "Allocated")))


def annotation(cluster, name: str) -> str | None:
    metadata = cluster.client.get(kinds.SERVICE, name)["metadata"]
    return (metadata.get("annotations") or {}).get("metallb.io/ip-allocated-from-pool")


def test_status_annotation_and_events_say_what_was_given(cluster, run):
    first = cluster.add_pool("lab", 50, 50)
    roadstead = run()
    cluster.create(kinds.SERVICE, service("a"))
    roadstead.wait_for("a has the address", lambda: cluster.addresses("a") == [first])
    roadstead.wait_for("its pool is named", lambda: annotation(cluster, "a") == "lab")
    (event,) = roadstead.wait_for("an event says so", lambda: cluster.events("a", "IPAllocated"))
    assert event["type"] == "Normal" and first in event["message"]
    about = event["involvedObject"]
    assert (about["kind"], about["uid"]) == ("Service", cluster.client.get(kinds.SERVICE, "a")["metadata"]["uid"])
    roadstead.wait_for("a condition says so", lambda: cluster.condition("a", "Allocated").get("status") == "True")
    # The pool is full.
    cluster.create(kinds.SERVICE, service("b"))
    event = roadstead.wait_for("an event says so", lambda: cluster.events("b", "AllocationFailed"))[0]
    assert event["type"] == "Warning"
    roadstead.wait_for("a condition says so", lambda: cluster.condition("b", "Allocated").get("status") == "False")
    assert cluster.addresses("b") == [] and annotation(cluster, "b") is None
    cluster.client.delete(kinds.SERVICE, "a")
    roadstead.wait_for("b has it now", lambda: cluster.addresses("b") == [first])
    roadstead.wait_for("a condition says so", lambda: cluster.condition("b", "Allocated").get("status") == "True")


def test_pools_come_change_and_go(cluster, run):
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it has none", lambda: cluster.events(NAME, "AllocationFailed"))
    first = cluster.add_pool()
    roadstead.wait_for("it has one", lambda: cluster.addresses(NAME) == [first])
    moved = cluster.block(70)
    cluster.client.patch(kinds.POOL, "lab", {"spec": {"addresses": [f"{moved}-{cluster.block(80)}"]}})
    roadstead.wait_for("it has another one", lambda: cluster.addresses(NAME) == [moved])
    assert cluster.events(NAME, "ClearAssignment")


def test_pools_are_read_from_files_beside_the_api_server(cluster, run, pods, tmp_path):
    if cluster.server:
        cluster.server.faults.has_custom_kinds = False
    first, file = cluster.block(50), tmp_path / "pool.yaml"
    file.write_text(
        "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: from-file}\n"
        f"spec: {{addresses: ['{first}-{cluster.block(60)}']}}\n")
    roadstead = run("-f", str(file))
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("its pool is named", lambda: annotation(cluster, NAME) == "from-file")
    if cluster.server:
        assert "metallb.io" in roadstead.status()


def test_services_that_have_an_address_keep_it_though_a_newer_one_sorts_before(cluster, run, pods):
    first = cluster.add_pool("lab", 50, 51)
    cluster.create(kinds.SERVICE, service("z-old"))
    cluster.client.patch(
        kinds.SERVICE, "z-old", {"status": {"loadBalancer": {"ingress": [{"ip": first}]}}}, "status")
    cluster.create(kinds.SERVICE, service("a-new"))
    cluster.publish("z-old", pods[0].endpoint())
    roadstead = run()
    roadstead.wait_for("the new one has the next", lambda: cluster.addresses("a-new") == [cluster.block(51)])
    wait_for_answers(roadstead, first, "pod-1")
    # What another load balancer wrote before lacks the mode that keeps kube-proxy off.
    roadstead.wait_for("the old one keeps it", lambda: [
        (entry["ip"], entry.get("ipMode")) for entry in cluster.ingress("z-old")] == [(first, "Proxy")])


def test_a_restart_changes_nothing(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    for name in ("b", "a"):
        cluster.create(kinds.SERVICE, service(name))
        roadstead.wait_for("it has its address", lambda: cluster.addresses(name))
    cluster.publish("b", pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    roadstead.wait_for("all is written", lambda: all(annotation(cluster, name) == "lab" for name in "ab"))
    roadstead.wait_for("all is said", lambda: all(cluster.condition(name, "Announced") for name in "ab"))
    assert roadstead.process.stop() == 0
    before = {name: cluster.client.get(kinds.SERVICE, name) for name in "ab"}
    assert [cluster.addresses(name) for name in "ba"] == [[first], [cluster.block(51)]]
    roadstead = run()
    wait_for_answers(roadstead, first, "pod-1")
    cluster.create(kinds.SERVICE, service("c"))
    roadstead.wait_for("a third one has its address", lambda: cluster.addresses("c") == [cluster.block(52)])
    for name, was in before.items():
        now = cluster.client.get(kinds.SERVICE, name)
        assert (now["spec"], now["status"]["loadBalancer"]) == (was["spec"], was["status"]["loadBalancer"])


def test_an_object_that_cannot_be_used_is_an_event_on_it_and_all_else_goes_on(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service("a-wrong", {"metallb.io/loadBalancerIPs": "nowhere"}))
    cluster.create(kinds.SERVICE, service("b-wrong", {"roadstead.dev/balance": "whatever"}))
    cluster.create(kinds.POOL, {"metadata": {"name": "wrong"}, "spec": {"addresses": ["nonsense"]}})
    cluster.create(kinds.SERVICE, service("c-right", {"metallb.io/loadBalancerIPs": first}))
    cluster.publish("c-right", pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    for name in ("a-wrong", "b-wrong", "wrong"):
        roadstead.wait_for(f"an event on {name}", lambda: any(
            event["type"] == "Warning" for event in cluster.events(name)))
    assert cluster.addresses("a-wrong") == []
    # Mended, it is served.
    cluster.client.patch(kinds.SERVICE, "a-wrong", {"metadata": {"annotations": {"metallb.io/loadBalancerIPs": None}}})
    roadstead.wait_for("it has an address", lambda: cluster.addresses("a-wrong"))


def test_an_address_that_is_asked_for_twice_goes_to_the_first(cluster, run):
    first = cluster.add_pool()
    roadstead = run()
    for name in ("b", "a"):
        cluster.create(kinds.SERVICE, service(name, {"metallb.io/loadBalancerIPs": first}))
        roadstead.wait_for("it is decided", lambda: cluster.addresses(name) or cluster.events(name, "AllocationFailed"))
    assert (cluster.addresses("b"), cluster.addresses("a")) == ([first], [])


def test_after_the_end_of_the_process_the_cluster_still_has_the_address(cluster, run, pods):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    cluster.publish(NAME, pods[0].endpoint())
    wait_for_answers(roadstead, first, "pod-1")
    assert roadstead.process.stop(within=5) == 0
    assert ask(first) is None and cluster.addresses(NAME) == [first]


def test_status_shows_the_service_as_kubernetes_would(cluster, run):
    first = cluster.add_pool()
    roadstead = run()
    cluster.create(kinds.SERVICE, service())
    roadstead.wait_for("it has its address", lambda: cluster.addresses(NAME) == [first])
    row = next(line for line in roadstead.status().splitlines() if NAME in line).split()
    assert row[0].startswith(cluster.namespace)
    for cell in ("LoadBalancer", first, f"{PORT}/TCP"):
        assert cell in row
