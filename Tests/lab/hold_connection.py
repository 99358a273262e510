"""Runs on a lab's client: `hold_connection.py ADDRESS PORT` opens one HTTP connection and keeps it.

At SIGUSR1 it asks over that connection and prints who answered, or `ended` when the connection is no more; at SIGUSR2
it closes the connection and ends.
"""

import http.client
import signal
import sys

SIGNALS = {signal.SIGUSR1, signal.SIGUSR2}


def main(address: str, port: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    connection = http.client.HTTPConnection(address, int(port), timeout=5)
    connection.connect()
    # Only this one: it is never opened again.
    connection.auto_open = 0
    print("open", flush=True)
    while signal.sigwait(SIGNALS) == signal.SIGUSR1:
        try:
            connection.request("GET", "/")
            print(connection.getresponse().read().decode().strip(), flush=True)
        except (OSError, http.client.HTTPException):
            print("ended", flush=True)
            return
    connection.close()


main(*sys.argv[1:])
