#!/usr/bin/env bash
# Make .venv and put the packages of a lock file into it. Needs python3 (3.11 or later); on Debian it fetches
# python3-venv where that is missing and this may be done.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "LLM Gateway needs Python 3.11 or later; $("$python" --version) was found. Set PYTHON to another one." >&2
  exit 1
}
if [ ! -x .venv/bin/pip ]; then
  rm -rf .venv
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    else
      echo "Python's venv module is missing: apt-get install python3-venv" >&2
      exit 1
    fi
    "$python" -m venv .venv
  fi
fi
echo "Installing $lock …"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
.venv/bin/pip install -q --require-hashes -r "$lock"
.venv/bin/pip install -q --no-deps --no-build-isolation -e .
