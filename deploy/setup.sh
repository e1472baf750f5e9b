#!/usr/bin/env bash
# Creates .venv/ from requirements.lock or, with the argument `dev`, from requirements-dev.lock, which adds the tools for
# tests and lint. Hashes are required and dependencies are not resolved again. make calls it before anything that needs
# Python; it returns at once when the environment already matches the lock. The test environment can also run the product.
# PYTHON= selects the interpreter. Works with bash 3.2.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd)
python_versions="3.11 to 3.14"

stop() { echo "set-up: $*" >&2; exit 2; }

is_suitable() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo "not runnable"; }

find_python() {
  local name
  if [ -n "${PYTHON:-}" ]; then
    is_suitable "$PYTHON" || stop "PYTHON=$PYTHON is $(version_of "$PYTHON"); Python $python_versions is needed"
    echo "$PYTHON"
    return
  fi
  # 3.14 after the others: on macOS one dependency has no wheel for it yet and needs a compiler
  for name in python3.13 python3.12 python3.11 python3.14 python3 python; do
    if is_suitable "$name"; then echo "$name"; return; fi
  done
  if command -v uv >/dev/null 2>&1; then echo ">=3.11,<3.15"; return; fi      # uv brings its own
  stop "no Python $python_versions on PATH (python3 is $(version_of python3)); install one or give PYTHON=/path/to/python"
}

lock=requirements${1:+-$1}.lock
[ -f "$lock" ] || stop "usage: deploy/setup.sh [dev]"

# What the environment was made from. The path is part of it: a copied or moved .venv points at the old one.
fingerprint() { printf '%s\n' "$root"; cksum "$1"; }
made_from=$(cat .venv/made_from 2>/dev/null || true)
is_made_from() { [ "$made_from" = "$(fingerprint "$1")" ]; }

if [ -x .venv/bin/python ] && { is_made_from "$lock" || is_made_from requirements-dev.lock; }; then
  if [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ]; then exit 0; fi
fi

python=$(find_python)
has_uv=$(command -v uv || true)
made_here=$(head -n 1 .venv/made_from 2>/dev/null || echo "$root")

is_reusable() {
  [ "$made_here" = "$root" ] && is_suitable .venv/bin/python || return 1
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ] || return 1
  [ -n "$has_uv" ] || .venv/bin/python -m pip --version >/dev/null 2>&1
}

if ! is_reusable; then
  echo "set-up: making .venv with ${has_uv:+uv and }$python"
  if [ -n "$has_uv" ]; then
    uv venv --quiet --clear --python "$python" .venv
  else
    "$python" -m venv --clear .venv
  fi
fi

rm -f .venv/made_from
if [ -n "$has_uv" ]; then
  echo "set-up: installing $lock with uv (seconds)"
  uv pip install --quiet --compile-bytecode --python .venv/bin/python --no-deps --require-hashes -r "$lock"
else
  echo "set-up: installing $lock with pip (a minute or two; with uv on PATH, seconds)"
  wanted=$(grep -c '^[a-z0-9].*==' "$lock")
  .venv/bin/python -m pip install --progress-bar off --disable-pip-version-check --no-deps --require-hashes \
    -r "$lock" | awk -v wanted="$wanted" '
      /^(Collecting|Processing)/ && ++seen % 40 == 0 { print "set-up: " seen " of at most " wanted " packages fetched"; fflush() }
      /^Installing/ { print "set-up: all fetched, installing them (about half of the time)"; fflush() }'
fi

# Puts the project root on the import path, for any working directory. An editable install would do the same
# through a build backend that would have to be locked as well.
site_packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$root" > "$site_packages/stimulus_regime.pth"

fingerprint "$lock" > .venv/made_from
