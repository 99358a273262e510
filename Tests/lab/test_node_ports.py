"""examples/node-ports: WEB on node port 31231 and WAS on 31111 of 192.168.118.10 to .13, each on its own address."""

import pytest
from example import CHECKOUT, NODES, wait_until_announced

MANIFESTS = CHECKOUT / "examples/node-ports"
WEB = "http://10.101.0.50/"
WAS = "http://10.101.0.51:8080/"
shards = pytest.mark.parametrize("shards", ["1", "2"])


def start(example, *options):
    process = example.roadstead("--target", "node-port", *options, manifests=MANIFESTS, until="default/web")
    process.wait_for_line("default/was")
    wait_until_announced(process, "10.101.0.51")
    return process


def on(service, *numbers):
    return [f"{service}-on-node-{number}" for number in numbers]


@shards
def test_the_four_nodes_answer_in_turn(example, shards):
    start(example, "--shards", shards)
    assert example.ask(WEB, 8) == on("web", 1, 2, 3, 4, 1, 2, 3, 4)


@shards
def test_web_and_was_answer_on_their_own_addresses(example, shards):
    process = start(example, "--shards", shards)
    assert "default/web  10.101.0.50  80/TCP → 4 endpoints" in process.lines
    assert "default/was  10.101.0.51  8080/TCP → 4 endpoints" in process.lines
    assert example.count(WEB, 40) == dict.fromkeys(on("web", 1, 2, 3, 4), 10)
    assert example.count(WAS, 40) == dict.fromkeys(on("was", 1, 2, 3, 4), 10)


@shards
def test_a_node_whose_port_is_closed_answers_no_more_and_no_client_notices(example, shards):
    start(example, "--shards", shards)
    assert set(example.ask(WEB, 8)) == set(on("web", 1, 2, 3, 4))
    example.backends["web-on-node-2"].kill()
    # `ask` throws where one connection fails.
    counts = example.count(WEB, 40)
    assert set(counts) == set(on("web", 1, 3, 4)) and sum(counts.values()) == 40
    assert min(counts.values()) >= 10
    # Its other port is as it was.
    assert example.count(WAS, 8) == dict.fromkeys(on("was", 1, 2, 3, 4), 2)


def test_explain_names_the_node_that_refused(example):
    start(example)
    example.backends["web-on-node-2"].kill()
    example.ask(WEB, 4)
    line = next(line for line in example.explain("web").splitlines() if f"{NODES['node-2']}:31231" in line)
    assert "1 connect failure" in line


def test_with_all_ports_closed_the_client_is_refused_at_once(example):
    start(example)
    for name in on("web", 1, 2, 3, 4):
        example.backends[name].kill()
    # A reset, which curl calls 7, 56 or 52 by how far it had come.
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", "5", "--output", "/dev/null", "--write-out"]
    text = example.client.run(*command, "%{exitcode} %{time_total}", WEB, check=False)
    code, seconds = text.split()
    assert code in ("7", "52", "56") and float(seconds) < 2
    assert example.count(WAS, 8) == dict.fromkeys(on("was", 1, 2, 3, 4), 2)
