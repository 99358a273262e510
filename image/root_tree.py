"""The root tree of the image: the binary, the libraries that it loads, certificates, and next to nothing else."""

import os
import re
import subprocess
from pathlib import Path

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
FILES = {
    "etc/passwd": "root:x:0:0:root:/:/\nroadstead:x:65532:65532:roadstead:/:/\n",
    "etc/group": "root:x:0:\nroadstead:x:65532:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
# Runtimes mount over the first three.
DIRECTORIES = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "tmp": 0o1777}


class ImageError(Exception):
    """The image cannot be made here, and why."""


def build(binary: Path, tree: Path) -> None:
    """Makes `tree`, which must be empty or not there, from a dynamic or static build of the binary."""
    tree.mkdir(parents=True, exist_ok=True)
    if any(tree.iterdir()):
        raise ImageError(f"{tree} is not empty")
    for name, mode in DIRECTORIES.items():
        (tree / name).mkdir()
        (tree / name).chmod(mode)
    for name, text in FILES.items():
        _place(tree, name, text.encode())
    if not os.path.exists(CERTIFICATES):
        raise ImageError(f"no {CERTIFICATES}: the package ca-certificates is missing")
    _place(tree, CERTIFICATES, Path(CERTIFICATES).read_bytes())
    # Each where the loader looked: the same search finds it there, without a cache of the loader's.
    for library in libraries(binary):
        _place(tree, library, Path(library).read_bytes(), 0o755)
    # No symbols: they are two thirds of it.
    subprocess.run(["strip", "-o", str(tree / "roadstead"), str(binary)], check=True)
    (tree / "roadstead").chmod(0o755)


def libraries(binary: Path) -> list[str]:
    """The loader and the libraries that it would load, as absolute paths."""
    listing = subprocess.run(["ldd", str(binary)], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = []
    for line in listing.splitlines():
        if "not found" in line:
            raise ImageError(f"{binary}: {line.strip()}")
        # `NAME => PATH (0x…)`, or `PATH (0x…)` for the loader; the kernel's own has no path.
        if match := re.search(r"(/\S+) \(0x", line):
            found.append(match.group(1))
    return sorted(set(found))


def size(tree: Path) -> int:
    """Bytes of all its files."""
    return sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file())


def _place(tree: Path, name: str, content: bytes, mode: int = 0o644) -> None:
    path = tree / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
