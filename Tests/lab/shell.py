"""`make lab-shell`: the example in a lab, with Roadstead up, and a shell beside it until one leaves that."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import namespaces
from example import BINARY, Example, announcement_line
from processes import LabError, wait_for
from show import picture, title

HINTS = """
  client curl http://10.101.0.50:8080/     a command in a host: its name, then the command
  node-1                                   a shell in a host: its name alone; exit leads back
  lb roadstead status                      Roadstead runs in lb; explain hostname-svc-lb says who gets traffic, and why
  hosts                                    the names of all hosts
  $EDITOR $manifests/pod-1.yaml            an edit is in force at once; what Roadstead says is in $log
  client arping -c 1 -I eth0 10.101.0.50   who has the address, on the LAN
  client tcpdump -ni eth0 arp              how that is told, and asked
  exit                                     ends and removes the lab

In another terminal: ip netns exec {client} curl http://10.101.0.50:8080/
"""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if reason := namespaces.missing():
        print(f"no lab: {reason}", file=sys.stderr)
        return 3
    try:
        with Example() as example:
            log = example.lab.directory / "roadstead.log"
            # `exec` keeps the process, so that the lab ends Roadstead and not a shell around it.
            command = f"exec {shlex.quote(BINARY)} run -f {example.manifests} >{log} 2>&1"
            example.host("lb").start("sh", "-c", command)
            example.wait_until_up()
            wait_for("10.101.0.50 is announced", lambda: announcement_line("10.101.0.50") in log.read_text(), within=10)
            title("The lab")
            print(picture())
            title("What to try")
            print(HINTS.format(client=example.client.namespace).strip("\n"), flush=True)
            return shell(example, log)
    except KeyboardInterrupt:
        return 130
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


def shell(example: Example, log: Path) -> int:
    """Runs a shell in which each host is a command."""
    names = " ".join(host.name for host in example.lab.hosts)
    lines = ["[ -t 0 ] && [ -r ~/.bashrc ] && . ~/.bashrc", f"hosts() {{ echo {names}; }}"]
    for host in example.lab.hosts:
        enter = shlex.join(host.command())
        # Without a command a shell whose prompt says where one is.
        inner = f"exec bash --rcfile <(echo \"PS1='{host.name}# '\") -i"
        alone = f"{enter} bash -c {shlex.quote(inner)}"
        lines.append(f'{host.name}() {{ if [ $# -gt 0 ]; then {enter} "$@"; else {alone}; fi; }}')
    lines += [f"PATH={shlex.quote(os.path.dirname(BINARY))}:$PATH", "PS1='lab# '"]
    # A proxy that the terminal uses is not to be asked for the lab's addresses.
    lines += ["export no_proxy='*'", f"manifests={example.manifests}", f"log={log}"]
    file = example.lab.directory / "shell.rc"
    file.write_text("\n".join(lines) + "\n")
    # Ctrl-C in the shell is for what runs there.
    signal.signal(signal.SIGINT, lambda *_: None)
    if sys.stdin.isatty():
        return subprocess.call(["bash", "--rcfile", str(file), "-i"])
    return subprocess.call(["bash", "-s"], env={**os.environ, "BASH_ENV": str(file)})


if __name__ == "__main__":
    sys.exit(main())
