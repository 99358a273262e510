"""What a run starts: where it runs, how it is ended, and a guard that cleans up behind a run that was killed."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time

# Standard input ends when the run has closed its end of the pipe, or is no more. Only then: end what still runs in the
# run's own namespaces, by process id, and remove these and the directory.
GUARD = """
cat >/dev/null
for file in /run/netns/"$1"-*; do
  [ -e "$file" ] || continue
  ip netns pids "${file##*/}" | xargs -r kill -KILL 2>/dev/null
  ip netns delete "${file##*/}"
done
rm -rf "$2"
"""


class Failed(Exception):
    """Something that was started did not do what it should."""


class Scratch:
    """A directory of the run's own, and the guard that removes it and the run's namespaces."""

    def __init__(self):
        self.name = f"roadstead-bench-{os.getpid()}"
        self.path = tempfile.mkdtemp(prefix=f"{self.name}-")
        # A session of its own: ctrl-C reaches all of the terminal's, and this one has to outlive it.
        self._guard = subprocess.Popen(["sh", "-c", GUARD, "guard", self.name, self.path], stdin=subprocess.PIPE,
                                       start_new_session=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def close(self):
        self._guard.stdin.close()
        # Whatever keeps it, what was measured is to be saved.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(30)


class Process:
    """A program that goes on until it is stopped; it is killed should the run die."""

    def __init__(self, command, scratch, name, core=None, wrapper=(), stdout=None):
        self.name = name
        self.command = command
        self.log = scratch.file(f"{name}-{time.monotonic_ns()}.log")
        self._traced = "strace" in wrapper
        with open(self.log, "wb") as log:
            # A session of its own: ctrl-C is for the run, which stops them in order.
            self._child = subprocess.Popen(placed(command, core, wrapper), stdin=subprocess.DEVNULL,
                                           stdout=stdout or log, stderr=log, start_new_session=True)

    @property
    def stdout(self):
        return self._child.stdout

    @property
    def pid(self):
        """Of the program itself: what stands before it replaces itself by it, but for strace, whose child it is."""
        if not self._traced:
            return self._child.pid
        with open(f"/proc/{self._child.pid}/task/{self._child.pid}/children") as file:
            return next(iter(map(int, file.read().split())), None)

    @property
    def is_running(self):
        return self._child.poll() is None

    def said(self):
        """The end of what it has printed."""
        with open(self.log, errors="replace") as file:
            lines = [line for line in file.read().splitlines() if line.strip()]
        return " / ".join(lines[-3:])[-400:]

    def why_ended(self):
        return f"{self.name} ended with {self._child.poll()}: {self.said()}"

    def stop(self, within=10):
        """SIGTERM, and SIGKILL when that takes too long; waits for the end."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid if self.is_running else None
            if pid:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                self._child.wait(within)
                return
            except subprocess.TimeoutExpired:
                continue
        self._child.kill()
        self._child.wait(within)


def placed(command, core=None, wrapper=()):
    """The command that runs `command` on a core, under a wrapper, and not longer than this run lives."""
    mortal = ["setpriv", "--pdeathsig", "KILL", "--"]
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    return [*mortal, *pinned, *wrapper, *(mortal if wrapper else []), *command]


def wait_for(holds, within=15, every=0.02):
    """Asks again until `holds` gives something true, and returns that; the last false thing when it takes too long."""
    end = time.monotonic() + within
    while True:
        if (result := holds()) or time.monotonic() > end:
            return result
        time.sleep(every)
