"""Runs on a lab's client: `ask_udp.py ADDRESS PORT FLOWS ROUNDS [steps]` asks once a round on each flow, a socket each.

At the end it prints a line for each flow: who answered, round by round, `-` where nobody did within a second. The
sockets are connected, so an answer from another address than the one that was asked is none. With `steps` it waits for
SIGUSR1 between the rounds.
"""

import signal
import socket
import sys


def main(address: str, port: str, flows: str, rounds: str, steps: str = "") -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(int(flows))]
    answers: list[list[str]] = [[] for _ in sockets]
    for one in sockets:
        one.settimeout(1)
        one.connect((address, int(port)))
    for number in range(int(rounds)):
        if number and steps:
            signal.sigwait({signal.SIGUSR1})
        for one, heard in zip(sockets, answers):
            try:
                one.send(b"who?")
                heard.append(one.recv(2048).decode().strip())
            except OSError:
                heard.append("-")
        print(f"round {number + 1}", flush=True)
    for heard in answers:
        print(" ".join(heard))


main(*sys.argv[1:])
