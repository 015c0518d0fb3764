"""manage.py on a machine where nothing exists yet."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def _manage(data_dir: Path, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO", "DATABASE"))}
    environment |= {"GATEWAY_DATA_DIR": str(data_dir)}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_an_empty_database_can_be_checked_and_migrated(tmp_path: Path) -> None:
    assert "no issues" in _manage(tmp_path, "check")
    assert "Applying tenants.0001_initial" in _manage(tmp_path, "migrate")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
