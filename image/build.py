#!/usr/bin/env python3
"""Builds the container image from a binary, without docker and from nothing else.

build.py BINARY --tree DIR [--tar FILE]: the root tree in DIR, which is made anew, and of it an image for
`docker load`, `podman load`, `ctr images import`.
"""

import argparse
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import oci_layout
import root_tree

# What the whole may weigh, in bytes, before it is compressed.
LIMIT = 120_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the container image from a binary.")
    parser.add_argument("binary", type=Path)
    parser.add_argument("--tree", type=Path, required=True, help="where the root tree is made; removed first")
    parser.add_argument("--tar", type=Path, help="the image")
    arguments = parser.parse_args()
    if not arguments.binary.is_file():
        sys.exit(f"no {arguments.binary}")
    if arguments.tree.exists():
        # What is removed must be one of ours.
        if any(arguments.tree.iterdir()) and not (arguments.tree / "roadstead").exists():
            sys.exit(f"{arguments.tree} is no root tree of Roadstead's: it is left alone")
        shutil.rmtree(arguments.tree)
    try:
        root_tree.build(arguments.binary, arguments.tree)
    except root_tree.ImageError as error:
        sys.exit(str(error))
    size = root_tree.size(arguments.tree)
    print(f"{arguments.tree}: {size / 1e6:.1f} MB")
    if size > LIMIT:
        sys.exit(f"more than {LIMIT / 1e6:.0f} MB")
    if arguments.tar:
        version = subprocess.run(
            [arguments.binary, "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
        oci_layout.write(arguments.tree, arguments.tar, "roadstead", version, platform.machine())
        print(f"{arguments.tar}: roadstead:{version}, {arguments.tar.stat().st_size / 1e6:.1f} MB compressed")


if __name__ == "__main__":
    main()
