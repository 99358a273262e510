"""in_image.py TREE USER [CAPABILITY…] -- PROGRAM…: a program in the image's root tree, with a container's rights.

As a runtime does it for a Pod without privileges: the tree and /proc cannot be written, only the named capabilities are
left, and none can be gained. For `ip netns exec`, which gives it mounts of its own.
"""

import ctypes
import os
import subprocess
import sys

# linux/capability.h, linux/prctl.h
CAPABILITIES = {"NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13}
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38


def main() -> None:
    tree, user, *capabilities = sys.argv[1:sys.argv.index("--")]
    program = sys.argv[sys.argv.index("--") + 1:]
    for source, target in [(tree, tree), ("/proc", f"{tree}/proc")]:
        subprocess.run(["mount", "--bind", source, target], check=True)
        subprocess.run(["mount", "--options", "remount,bind,ro", target], check=True)
    os.chroot(tree)
    os.chdir("/")
    kept = {CAPABILITIES[name] for name in capabilities}
    libc = ctypes.CDLL(None, use_errno=True)
    for number in set(range(64)) - kept:
        # Beyond the last one that the kernel knows it refuses.
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    os.setgroups([])
    os.setresgid(int(user), int(user), int(user))
    os.setresuid(int(user), int(user), int(user))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("no_new_privs is refused")
    os.execve(program[0], program, {})


main()
