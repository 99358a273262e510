"""`make lab`, `make lab-shell` and the example that uses them, as one runs them."""

import re
import signal
import subprocess
from pathlib import Path

from example import BINARY, CHECKOUT
from processes import run, wait_for

LAB = str(CHECKOUT / "Tests/lab.sh")


def test_the_show_ends_well_and_says_what_it_saw():
    text = run([LAB, "show"], within=30)
    for line in ["10 pod-1", "10 pod-2", "10 pod-3", "10 web-on-node-4", "10 was-on-node-1", "Removed"]:
        assert line in text
    assert "other" not in re.findall(r"^ +\d+ (\S+)$", text, re.MULTILINE)


def test_node_ports_run_prints_what_its_readme_shows(monkeypatch):
    monkeypatch.setenv("ROADSTEAD", BINARY)
    example = CHECKOUT / "examples/node-ports"
    text = run([str(example / "run.sh")], within=30)
    block = next(block for block in re.findall(r"```\n(.*?)```", (example / "README.md").read_text(), re.DOTALL)
                 if block.startswith("client$"))
    assert block in text


def test_ctrl_c_ends_the_show_and_leaves_nothing():
    with subprocess.Popen([LAB, "show"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as show:
        while "The lab" not in show.stdout.readline():
            assert show.poll() is None
        show.send_signal(signal.SIGINT)
        rest = show.stdout.read()
        assert show.wait(10) == 130, rest
    wait_for("nothing is left", lambda: not left_in([f"roadstead-{show.pid}-"]))


def test_the_shell_has_a_command_for_each_host_and_removes_the_lab_at_its_end():
    done = run(["sh", "-c", f"""
        echo 'client curl --silent http://10.101.0.50:8080/; lb roadstead status; hosts; exit 7' |
        {LAB} shell; echo "exit code $?"
        """], within=30)
    assert re.search("^pod-1$", done, re.MULTILINE)
    assert re.search(r"^default/hostname-svc-lb +LoadBalancer +10\.101\.0\.50 +8080/TCP", done, re.MULTILINE)
    assert re.search("^client lb node-1 ", done, re.MULTILINE)
    assert done.endswith("exit code 7\n")
    names = namespaces_named_in(done)
    assert names and left_in(names) == []


def namespaces_named_in(text: str) -> list[str]:
    return re.findall(r"roadstead-\d+-\d+-", text)


def left_in(prefixes: list[str]) -> list[str]:
    """The namespaces that are still there, of those that begin so."""
    return [path.name for path in Path("/run/netns").iterdir() if path.name.startswith(tuple(prefixes) or ("-",))]
