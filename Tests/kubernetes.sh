#!/usr/bin/env bash
# The level "kubernetes": Roadstead at an API server. `kubernetes.sh [pytest's options]`; without root the two hosts of
# the lab are left out, and it is said. ROADSTEAD_BINARY names the binary; default: the release build of this checkout.
# ROADSTEAD_TEST_KUBECONFIG names a real cluster for trials: then what needs no faults runs there.
set -euo pipefail
for name in ROADSTEAD_BINARY ROADSTEAD_TEST_KUBECONFIG; do
  [ -z "${!name:-}" ] || export "$name=$(realpath "${!name}")"
done
cd "$(dirname "$0")/kubernetes"
# Debian's own Python is the one that has Debian's pytest and aiohttp; the first in PATH may be another.
for python in /usr/bin/python3 python3; do
  if "$python" -c 'import aiohttp, pytest' 2>/dev/null; then exec "$python" -m pytest "$@"; fi
done
echo "kubernetes.sh: no Python here has aiohttp and pytest: make test-packages, or python3-aiohttp and python3-pytest" >&2
exit 1
