#!/usr/bin/env bash
# The lab: `lab.sh show [pods|node-ports]`, `lab.sh shell`, `lab.sh test [pytest's options]`. Needs root.
# ROADSTEAD_BINARY names the binary; default: the release build of this checkout.
set -euo pipefail
what=${1:?show, shell or test}
shift
if [ -n "${ROADSTEAD_BINARY:-}" ]; then
  ROADSTEAD_BINARY=$(realpath "$ROADSTEAD_BINARY")
  export ROADSTEAD_BINARY
fi
cd "$(dirname "$0")/lab"
# Debian's own Python is the one that has Debian's pytest; the first in PATH may be another.
python=python3
for candidate in /usr/bin/python3 python3; do
  if "$candidate" -c 'import pytest' 2>/dev/null; then python=$candidate && break; fi
done
case $what in
  test) exec "$python" -m pytest "$@" ;;
  show | shell) exec "$python" "$what.py" "$@" ;;
  *) echo "lab.sh: show, shell or test, not '$what'" >&2 && exit 2 ;;
esac
