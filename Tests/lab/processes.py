"""Programs in the lab: each wait has a deadline, each failure shows what the program printed."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable


class LabError(Exception):
    """Something of the lab did not do what it should, in time."""


def run(command: list[str], within: float = 10, check: bool = True, text: str | None = None) -> str:
    """Runs a program to its end and returns what it printed; `text` is its standard input."""
    try:
        done = subprocess.run(
            command, input=text, stdin=subprocess.DEVNULL if text is None else None, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within)
    except subprocess.TimeoutExpired as late:
        # Bytes, although text was asked for.
        printed = late.output.decode(errors="replace") if isinstance(late.output, bytes) else late.output or ""
        raise LabError(f"{' '.join(command)}: not done within {within} s\n{printed}") from None
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def wait_for(what: str, holds: Callable[[], object], within: float = 5):
    """Asks again until `holds` gives something true, and returns that.

    A LabError counts as not yet.
    """
    end = time.monotonic() + within
    while True:
        last = None
        try:
            if result := holds():
                return result
        except LabError as error:
            last = error
        if time.monotonic() > end:
            raise LabError(f"not within {within} s: {what}" + (f"\n{last}" if last else ""))
        time.sleep(0.01)


class Process:
    """A program that goes on, with the lines that it has printed on both outputs."""

    def __init__(self, command: list[str], name: str):
        self.name = name
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        with self._changed:
            return list(self._lines)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def wait_for_line(self, text: str, within: float = 10, after: int = 0) -> str:
        """The first line that has `text` in it, of those after the first `after`."""
        end = time.monotonic() + within
        with self._changed:
            while True:
                if found := next((line for line in self._lines[after:] if text in line), None):
                    return found
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    why = "it has ended" if self._ended else f"not within {within} s"
                    raise LabError(f"{self.name}: no line with '{text}', {why}\n" + "\n".join(self._lines))
                self._changed.wait(left)

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def wait(self, within: float = 10) -> int:
        """Its exit code, or minus the signal that ended it."""
        try:
            code = self._child.wait(within)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: still running after {within} s\n" + "\n".join(self.lines)) from None
        self._reader.join(within)
        return code

    def stop(self, within: float = 10) -> int:
        """Asks it to end, by SIGTERM, and waits for that; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def kill(self) -> None:
        """Ends it at once, if it has not ended yet. What it has started itself ends with the lab."""
        self._child.kill()
        self._child.wait(10)

    def _read(self) -> None:
        for line in self._child.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._child.stdout.close()
