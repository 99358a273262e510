#!/usr/bin/env bash
# The lab's four nodes with WEB and WAS on their node ports, and Roadstead in front of them with the manifests that are
# here. Makes network namespaces, and removes them again: needs root.
# ROADSTEAD names the binary; default: the release build of this checkout.
set -euo pipefail
[ -z "${ROADSTEAD:-}" ] || export ROADSTEAD_BINARY=$ROADSTEAD
exec "$(dirname "$0")/../../Tests/lab.sh" show node-ports
