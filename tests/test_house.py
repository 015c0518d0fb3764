"""The house keeps its own rules: floors, providers' names in one place, a test beside every module."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from providers.presets import PRESETS

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("kernel", "tenants", "providers", "usage", "routing", "gateway", "monitoring", "portal", "gateway_project")
NAMES = PRESETS.keys() - {"mock", "openai_compatible"} | {
    "anthropic",
    "gemini",
    "bedrock",
    "azure",
    "vertex",
    "cohere",
    "huggingface",
}
LINES_WITHOUT_TEST = 40
# Modules, and folders whose modules are parts of one thing, that a test of another name tries.
TESTED_BY = {
    "gateway_project/settings.py": "gateway_project/test_environment.py",
    "gateway_project/worker.py": "e2e",
    "gateway_project/configuration/litellm/": "gateway_project/configuration/litellm/test_translation.py",
    "gateway_project/configuration/": "gateway_project/configuration/test_apply.py",
    "gateway/endpoints/websocket_": "gateway/endpoints/test_websocket.py",
    "gateway/dry_run.py": "gateway/test_reservation.py",
    "usage/journal/directory.py": "usage/journal/test_journal.py",
    "usage/journal/writer.py": "usage/journal/test_journal.py",
    "usage/ledger/bulk.py": "usage/ledger/test_posting.py",
    "usage/models/ledger.py": "usage/ledger/test_posting.py",
    "usage/records.py": "usage/journal/test_lines.py",
}


def modules() -> Iterator[Path]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT)


def literals(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_no_providers_name_stands_outside_of_providers() -> None:
    found = {
        str(path): sorted(literals(path) & NAMES)
        for path in modules()
        if path.parts[0] != "providers" and literals(path) & NAMES
    }
    assert found == {}


def test_imports_keep_to_the_floors() -> None:
    # The command belongs to the environment whose Python runs the tests.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_has_its_test() -> None:
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    missing = [
        str(path)
        for path in modules()
        if f"test_{path.stem}.py" not in tests
        and path.name != "__init__.py"
        and not str(path).startswith(tuple(TESTED_BY))
        and len((ROOT / path).read_text().splitlines()) > LINES_WITHOUT_TEST
    ]
    assert missing == []


def test_the_exceptions_are_still_there() -> None:
    paths = [str(path) for path in modules()]
    assert [start for start in TESTED_BY if not any(path.startswith(start) for path in paths)] == []
    assert [test for test in TESTED_BY.values() if not (ROOT / "tests" / test).exists()] == []
