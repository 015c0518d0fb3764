import os
import sys
from pathlib import Path

import pytest

from benchmarks.process import CandidateError, Command, Tree, free_port, parse_stat, running


def test_a_stat_line_is_read_past_a_name_with_blanks_and_brackets() -> None:
    line = "42 (a (b) c) S 7 42 40 0 -1 4194304 10 20 0 0 100 50 3 2 20 0 1 0 12345 0 0"
    stat = parse_stat(line)
    assert (stat.pid, stat.parent, stat.session, stat.ticks, stat.started) == (42, 7, 40, 155, 12345)


def test_our_own_tree_uses_time_and_memory() -> None:
    tree = Tree(os.getpid())
    assert os.getpid() in tree.pids()
    assert tree.cpu_s() > 0
    assert tree.pss_kib() > 1000


def test_a_program_that_ends_at_once_says_why(tmp_path: Path) -> None:
    command = Command([sys.executable, "-c", "raise SystemExit('no such thing')"], {}, ready_path="/")
    with (
        pytest.raises(CandidateError, match="status 1: no such thing"),
        running(command, core=0, port=free_port(), log=tmp_path / "log"),
    ):
        pass
