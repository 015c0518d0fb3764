"""Fetch the competitors into this folder, each beside the project and never into it.

Everything lands in `benchmarks/.venv-litellm` and `benchmarks/.node`; system packages only through apt, and only when
we are root. What cannot be had is a CandidateError, and the report names the reason.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.process import CandidateError

HERE = Path(__file__).parent
LITELLM_VENV = HERE / ".venv-litellm"
PORTKEY_SCRIPT = HERE / ".node/node_modules/@portkey-ai/gateway/build/start-server.js"
PORTKEY_PACKAGE = "@portkey-ai/gateway@1.15.2"

# As shipped, 1.15.2 answers every stream with status 500: it appends to the headers of a fetch() response, which are
# immutable, because the lightweight Response of its HTTP server package hands them on instead of copying them.
_PORTKEY_FAULT = ":new Response(p,e)}const Ad"
_PORTKEY_REMEDY = ":new Response(p,{status:e.status,statusText:e.statusText,headers:new Headers(e.headers)})}const Ad"


def system_package(program: str, package: str) -> None:
    """Make sure a program is there, with apt when it is missing and we are root."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CandidateError(f"{program} is missing; install the package {package}")
    _run(["apt-get", "install", "-y", "--no-install-recommends", package], timeout_s=300)


def litellm() -> None:
    """Install the LiteLLM proxy into a virtual environment of its own."""
    python = LITELLM_VENV / "bin/python"
    if (LITELLM_VENV / "bin/litellm").exists():
        return
    venv.create(LITELLM_VENV, with_pip=True, clear=LITELLM_VENV.exists())
    _run([str(python), "-m", "pip", "install", "--quiet", "litellm[proxy]"], timeout_s=900)


def portkey() -> None:
    """Install the Portkey gateway and mend the fault that keeps its streams from working."""
    system_package("node", "nodejs")
    system_package("npm", "npm")
    if not PORTKEY_SCRIPT.exists():
        folder = HERE / ".node"
        folder.mkdir(exist_ok=True)
        arguments = ["install", "--no-audit", "--no-fund", "--prefix", str(folder), PORTKEY_PACKAGE]
        _run(["npm", *arguments], timeout_s=600)
    text = PORTKEY_SCRIPT.read_text()
    PORTKEY_SCRIPT.write_text(text.replace(_PORTKEY_FAULT, _PORTKEY_REMEDY))


def portkey_version() -> str:
    """Return the installed version, and whether its stream fault was mended."""
    if not PORTKEY_SCRIPT.exists() or not shutil.which("node"):
        raise CandidateError("not installed (npm could not fetch it, or node is missing)")
    manifest = (PORTKEY_SCRIPT.parent.parent / "package.json").read_text()
    found = re.search(r'"version":\s*"([^"]+)"', manifest)
    mended = ", stream headers patched" if _PORTKEY_REMEDY in PORTKEY_SCRIPT.read_text() else ""
    return f"{found[1] if found else '?'} on Node {_output(['node', '--version'])}{mended}"


def litellm_version() -> str:
    """Return the installed version."""
    python = LITELLM_VENV / "bin/python"
    if not (LITELLM_VENV / "bin/litellm").exists():
        raise CandidateError("not installed (pip could not fetch it)")
    return _output([str(python), "-c", "from importlib.metadata import version as v; print(v('litellm'))"])


def nginx_version() -> str:
    """Return the installed version."""
    if not shutil.which("nginx"):
        raise CandidateError("nginx is missing; install the package nginx")
    return _output(["nginx", "-v"]).rpartition("/")[2]


def uvicorn_version() -> str:
    """Return what the bare pass-through runs on."""
    return f"uvicorn {version('uvicorn')}, Python {sys.version.split()[0]}"


def gateway_program() -> Path:
    """Return the console command of this project."""
    return Path(sys.executable).parent / "llmgateway"


def gateway_version() -> str:
    """Return the project's version and commit."""
    if not gateway_program().exists():
        raise CandidateError("the command llmgateway is not installed (pip install -e .)")
    try:
        number = version("llmgateway")
    except PackageNotFoundError as error:
        raise CandidateError("the package llmgateway is not installed (pip install -e .)") from error
    return f"{number} {_commit()}".strip()


def _commit() -> str:
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return f"({run.stdout.strip()})" if run.returncode == 0 else ""


def _run(command: Sequence[str], *, timeout_s: float) -> None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise CandidateError(f"{command[0]} took longer than {timeout_s:.0f} s") from error
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip()).splitlines()[-1:]
        raise CandidateError(f"{command[0]} failed: {' '.join(last)[:200]}")


def _output(command: Sequence[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return (run.stdout or run.stderr).strip()
