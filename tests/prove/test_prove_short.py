"""The short version of the proof, as the command line runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.prove.__main__ import NOT_AVAILABLE
from tests.services.availability import NotAvailable, skip_or_fail
from tests.services.gateway import clean_environment

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parent.parent.parent
ENDED_WITHIN_S = 400  # many times what it takes on a machine that has nothing else to do


def test_money_is_exact_under_crowds_kills_and_outages() -> None:
    command = [sys.executable, "-m", "tests.prove", "--short"]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as proof:
        try:
            said, _ = proof.communicate(timeout=ENDED_WITHIN_S)
        except BaseException:
            proof.terminate()  # it then ends what it has started
            proof.wait(60)
            raise
    if proof.returncode == NOT_AVAILABLE:
        skip_or_fail(NotAvailable(said.strip()))
    assert proof.returncode == 0, said
