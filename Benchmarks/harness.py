"""What every measurement needs."""

import resource

DESCRIPTORS = 20000


def raise_limit():
    """Lets this process, and the children it starts, open 20,000 descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise SystemExit(f"needs a hard limit of {DESCRIPTORS} descriptors, has {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


def resident_bytes(pid):
    """What a process has in memory."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    raise OSError(f"process {pid} has no resident size")
