"""Runs on a host of a lab: `send_frames.py INTERFACE HEX…` sends these frames and prints when, in Unix time."""

import socket
import sys
import time


def main(interface: str, *frames: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        for frame in frames:
            print(time.time())
            sender.send(bytes.fromhex(frame))


main(*sys.argv[1:])
