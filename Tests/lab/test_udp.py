"""UDP in the lab: flows from another network are spread over the pods, keep theirs, and leave one that is gone."""

import signal
import sys
from collections import Counter
from pathlib import Path

from example import PODS

ASK = str(Path(__file__).parent / "ask_udp.py")
ADDRESS, PORT = "10.101.0.51", "5300"


def ask(example, flows: int, rounds: int = 1) -> list[list[str]]:
    """Who answers on each flow, round by round, with nothing between the rounds."""
    out = example.client.run(sys.executable, ASK, ADDRESS, PORT, str(flows), str(rounds), within=30)
    return [line.split() for line in out.splitlines() if not line.startswith("round")]


def test_flows_are_spread_equally_and_answered_from_the_address_that_was_asked(example):
    example.roadstead(until="default/names")
    assert Counter(who for (who,) in ask(example, 30)) == {"pod-1": 10, "pod-2": 10, "pod-3": 10}


def test_a_flow_keeps_its_pod(example):
    example.roadstead("--shards", "2", until="default/names")
    answers = ask(example, 12, rounds=4)
    assert all(len(set(heard)) == 1 and heard[0] != "-" for heard in answers)


def test_flows_leave_a_pod_whose_port_is_closed_and_no_other_flow_moves(example):
    example.roadstead(until="default/names")
    client = example.client.start(sys.executable, ASK, ADDRESS, PORT, "12", "4", "steps")
    client.wait_for_line("round 1")
    example.backends[PODS[0].name].kill()
    for number in range(2, 5):
        client.signal(signal.SIGUSR1)
        client.wait_for_line(f"round {number}", within=20)
    client.wait()
    answers = [line.split() for line in client.lines if not line.startswith("round")]
    assert len(answers) == 12
    for heard in answers:
        if heard[0] == PODS[0].name:
            # The datagram that found the port closed is lost, and its refusal moves the flow.
            assert PODS[0].name not in heard[1:] and heard[-1] in {"pod-2", "pod-3"}
        else:
            assert len(set(heard)) == 1
