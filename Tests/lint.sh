#!/usr/bin/env bash
# What a machine can check of how the code reads.
set -euo pipefail
cd "$(dirname "$0")/.."
swift format lint --strict -r Package.swift Sources Tests Benchmarks/load
large=$(find Sources Tests Benchmarks examples image -name .build -prune -o \( -name '*.swift' -o -name '*.py' \) -size +25k -print)
[ -z "$large" ] || { echo "over 25 KB, to be split by role: $large" >&2; exit 1; }
for script in .ci/run Tests/*.sh Benchmarks/*.sh examples/*/run.sh; do
  [ -x "$script" ] || { echo "$script is not executable" >&2; exit 1; }
  bash -n "$script"
done
python3 - Tests/lab/*.py Tests/kubernetes/*.py image/*.py <<'END'
import sys
for name in sys.argv[1:]:
    text = open(name).read()
    compile(text, name, "exec")
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 120 or line != line.rstrip():
            sys.exit(f"{name}:{number}: over 120 characters, or blanks at the end")
END
echo "format, sizes and scripts are fine"
