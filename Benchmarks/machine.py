"""What a run says of the machine it was on, and where on it what is run."""

import datetime
import os
import platform
import re
import subprocess

import harness


def describe(name, chosen):
    """The machine's part of a result; `chosen` are the cores of proxy and load."""
    # Of the kernel's name the numbers only: the rest is who built it.
    return {"name": name or short(cpu()), "cpu": cpu(), "cores": len(os.sched_getaffinity(0)),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "kernel": re.match(r"[\d.]*", platform.release())[0].strip("."), "siblings": are_siblings(*chosen),
            **({"rmem_max": most} if (most := receive_buffer()) is not None else {})}


def cpu():
    """The processor's name."""
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.machine()


def short(name):
    """A machine's name where none was given: not the host's, which is nobody's business in a file for others."""
    return "-".join(re.findall(r"[a-z0-9]+", re.sub(r"\(\w+\)|processor|cpu|@.*", "", name.lower()))[:4]) or "machine"


def date():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit():
    """The commit of these sources, with a plus when they differ from it."""
    here = os.path.dirname(os.path.abspath(__file__))
    def git(*words):
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True).stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "-uno") else "")


def cores():
    """The core of the proxy, and that of load, endpoints and this program; None where there is but one.

    Where there are others they are no two threads of one core.
    """
    usable = sorted(os.sched_getaffinity(0))
    others = [each for each in usable[1:] if not are_siblings(usable[0], each)] or usable[1:]
    return (usable[0], others[0]) if others else None


def are_siblings(one, other):
    """Whether two CPUs are threads of one core."""
    try:
        with open(f"/sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list") as file:
            return other in numbers(file.read())
    except OSError:
        return False


def numbers(text):
    """A list of CPUs as the kernel writes it: 0,4-6."""
    found = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1)) if first else set()
    return found


def receive_buffer():
    """The largest receive buffer a socket gets without privilege; None where the kernel does not say."""
    try:
        with open("/proc/sys/net/core/rmem_max") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def prepare():
    """Room for descriptors, here and in what is started from here."""
    harness.raise_limit()
