"""`make lab`: the example in a lab, step by step, with what comes of it. `show.py node-ports` shows that part alone."""

import signal
import sys
from collections import Counter

import namespaces
from example import CHECKOUT, MANIFESTS, NODES, Example, announcement_line, wait_until_announced
from neighbours import arping
from processes import LabError

POD_URL = "http://10.101.0.50:8080/"
WEB_URL, WAS_URL = "http://10.101.0.50/", "http://10.101.0.51:8080/"
ASK_UDP = CHECKOUT / "Tests/lab/ask_udp.py"
NODE_PORTS = CHECKOUT / "examples/node-ports"


def main(parts: list[str]) -> int:
    # As at ctrl-C: what was made is removed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if reason := namespaces.missing():
        print(f"no lab: {reason}", file=sys.stderr)
        return 3
    try:
        with Example() as example:
            title("The lab")
            print(picture())
            for part in parts or ["pods", "node-ports"]:
                {"pods": show_pods, "node-ports": show_node_ports}[part](example)
        title("Removed")
    except KeyboardInterrupt:
        print("\nremoved")
        return 130
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def show_pods(example: Example) -> None:
    title("The Service, and pods on three nodes; `other` on the fourth has another label")
    print(indented((MANIFESTS / "service.yaml").read_text()))
    title("lb$ roadstead run -f manifests")
    process = example.roadstead()
    print(indented(process.lines[0]))
    print(indented(process.wait_for_line(announcement_line("10.101.0.50"))))
    title("client$ arping 10.101.0.50    who has it, on the LAN")
    print(indented("\n".join(arping(example.client, "10.101.0.50"))))
    ask(example, POD_URL, 30, {"pod-1": 10, "pod-2": 10, "pod-3": 10})
    process.wait_for_line("default/names")
    wait_until_announced(process, "10.101.0.51")
    title("The same pods over UDP")
    print(indented(next(line for line in process.lines if "UDP →" in line)))
    title("client$ ask_udp.py 10.101.0.51 5300    30 flows")
    answers = example.client.run(sys.executable, str(ASK_UDP), "10.101.0.51", "5300", "30", "1", within=30)
    show_counts(Counter(answers.splitlines()[1:]), {"pod-1": 10, "pod-2": 10, "pod-3": 10})
    process.stop()


def show_node_ports(example: Example) -> None:
    title("lb$ roadstead run -f examples/node-ports --target node-port")
    process = example.roadstead("--target", "node-port", manifests=NODE_PORTS, until="default/web")
    process.wait_for_line("default/was")
    wait_until_announced(process, "10.101.0.51")
    print(indented("\n".join(line for line in process.lines if "→" in line)))
    ask(example, WEB_URL, 40, {f"web-on-{node}": 10 for node in NODES})
    ask(example, WAS_URL, 40, {f"was-on-{node}": 10 for node in NODES})
    title("node-2 closes port 31231")
    example.backends["web-on-node-2"].kill()
    ask(example, WEB_URL, 40, among={f"web-on-{node}" for node in NODES if node != "node-2"})
    process.stop()


def ask(example: Example, url: str, times: int, wanted: dict[str, int] | None = None, among: set[str] = ()) -> None:
    """Prints who answers the client, and throws where that is not what is wanted."""
    title(f"client$ curl {url}    {times} times")
    show_counts(Counter(example.ask(url, times)), wanted, among)


def show_counts(heard: Counter, wanted: dict[str, int] | None = None, among: set[str] = ()) -> None:
    """Prints who answered how often, and throws where that is not what is wanted."""
    counts = dict(sorted(heard.items()))
    print("\n".join(f"  {count:3} {name}" for name, count in counts.items()))
    if counts != wanted and set(counts) != among:
        raise LabError(f"not what was to come: {wanted or sorted(among)}")


def picture() -> str:
    """The drawing at the head of example.py."""
    text = sys.modules["example"].__doc__
    return text[text.index("\n\n") + 2:].rstrip()


def title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
