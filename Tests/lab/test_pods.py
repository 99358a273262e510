"""The README's manifest, to the letter: 10.101.0.50:8080 answers from every pod labelled so and from no other."""

import re

import pytest
from example import BINARY, CHECKOUT, MANIFESTS, PODS, SPARE
from processes import LabError, wait_for

URL = "http://10.101.0.50:8080/"
shards = pytest.mark.parametrize("shards", ["1", "2"])


@pytest.mark.without_root
def test_the_manifest_is_the_one_of_the_readme():
    blocks = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    assert (MANIFESTS / "service.yaml").read_text() in blocks


@shards
def test_each_labelled_pod_answers_equally_often_and_no_other_does(example, shards):
    process = example.roadstead("--shards", shards)
    assert process.lines[0] == "default/hostname-svc-lb  10.101.0.50  8080/TCP → 3 endpoints"
    assert example.count(URL, 30) == {"pod-1": 10, "pod-2": 10, "pod-3": 10}


def test_status_shows_the_service_as_kubernetes_would(example):
    example.roadstead()
    lines = [line.split() for line in example.host("lb").run(BINARY, "status").splitlines()]
    # Namespaces and counters have columns of their own; these four are what `kubectl get service` users look for.
    row = next(line for line in lines if any("hostname-svc-lb" in cell for cell in line))
    for cell in ["LoadBalancer", "10.101.0.50", "8080/TCP"]:
        assert cell in row


def test_the_client_reaches_pods_through_roadstead_only(example):
    curl = ["curl", "--silent", "--noproxy", "*", "--max-time", "5"]
    # Each is up, where there is a way to it.
    assert example.host("lb").run(*curl, f"http://{PODS[0].address}/") == "pod-1\n"
    with pytest.raises(LabError, match="exit code 7"):
        example.client.run(*curl, f"http://{PODS[0].address}/")
    with pytest.raises(LabError, match="exit code 7"):
        example.client.run(*curl, URL)
    example.roadstead()
    assert example.client.run(*curl, URL).startswith("pod-")


@shards
def test_a_pod_that_comes_gets_its_share_and_one_that_goes_gets_nothing(example, shards):
    process = example.roadstead("--shards", shards)
    seen = len(process.lines)
    example.write_pod(SPARE)
    process.wait_for_line("4 endpoints", after=seen)
    assert example.count(URL, 40) == {"pod-1": 10, "pod-2": 10, "pod-3": 10, "pod-4": 10}
    seen = len(process.lines)
    example.remove_pod(PODS[0])
    process.wait_for_line("3 endpoints", after=seen)
    assert example.count(URL, 30) == {"pod-2": 10, "pod-3": 10, "pod-4": 10}


def test_a_pod_that_is_not_ready_gets_nothing_until_it_is(example):
    process = example.roadstead()
    seen = len(process.lines)
    example.write_pod(PODS[1], ready=False)
    process.wait_for_line("2 endpoints", after=seen)
    assert example.count(URL, 20) == {"pod-1": 10, "pod-3": 10}
    seen = len(process.lines)
    example.write_pod(PODS[1])
    process.wait_for_line("3 endpoints", after=seen)
    assert example.count(URL, 30) == {"pod-1": 10, "pod-2": 10, "pod-3": 10}


def test_no_request_fails_when_a_pod_dies_unannounced(example):
    example.roadstead()
    example.backends["pod-2"].kill()
    names = example.ask(URL, 30)
    assert len(names) == 30 and set(names) == {"pod-1", "pod-3"}


def test_an_edit_of_the_service_moves_its_port(example):
    example.roadstead()
    service = example.manifests / "service.yaml"
    service.write_text(service.read_text().replace("port: 8080", "port: 8081"))
    moved = "http://10.101.0.50:8081/"
    wait_for("the new port answers", lambda: example.ask(moved, 1))
    assert example.count(moved, 30) == {"pod-1": 10, "pod-2": 10, "pod-3": 10}
    with pytest.raises(LabError, match="exit code 7"):
        example.ask(URL, 1)
