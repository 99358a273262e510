"""What a run says of the machine it was on, and where on it what is run."""

import datetime
import os
import platform
import re
import subprocess

import harness


def describe(name):
    """The machine's part of a result."""
    # Of the kernel's name the numbers only: the rest is who built it.
    return {"name": name or short(cpu()), "cpu": cpu(), "cores": len(os.sched_getaffinity(0)),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "kernel": re.match(r"[\d.]*", platform.release())[0].strip(".")}


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
    """The core of the proxy, and that of load, endpoints and this program; None where there is but one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else None


def prepare():
    """Room for descriptors, here and in what is started from here."""
    harness.raise_limit()
