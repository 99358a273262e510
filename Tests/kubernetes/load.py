"""Runs on a lab's client: `load.py ADDRESS PORT CLIENTS` asks over and over, each time on a new connection.

As many clients ask side by side. At SIGTERM they end, and a line of JSON says how many requests were answered, and for
each that was not when it began and ended (Unix time) and why.
"""

import http.client
import json
import signal
import sys
import threading
import time

TIMEOUT = 10


def main(address: str, port: str, clients: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ended = threading.Event()
    answered, failed, longest = [0] * int(clients), [], [0.0] * int(clients)

    def ask(number: int) -> None:
        while not ended.is_set():
            began = time.time()
            connection = http.client.HTTPConnection(address, int(port), timeout=TIMEOUT)
            try:
                connection.request("GET", "/", headers={"Connection": "close"})
                if not connection.getresponse().read().startswith(b"pod-"):
                    raise ValueError("no pod")
                answered[number] += 1
            except (OSError, ValueError, http.client.HTTPException) as error:
                failed.append({"began": began, "ended": time.time(), "why": repr(error)})
            finally:
                connection.close()
            longest[number] = max(longest[number], time.time() - began)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(int(clients))]
    for thread in threads:
        thread.start()
    print("asking", flush=True)
    signal.sigwait({signal.SIGTERM})
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"answered": sum(answered), "failed": failed, "longest": max(longest)}), flush=True)


main(*sys.argv[1:])
