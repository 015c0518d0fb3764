from pathlib import Path

from benchmarks.unary import Door, parse_wrk, write_script

OUTPUT = """Running 2s test @ http://127.0.0.1:1
  1 threads and 64 connections
Requests/sec:   1000.00

{"calls":2000,"duration_us":2000000,"failed":1,"p50_us":640.0,"p99_us":1200.5}
"""


def test_the_last_line_of_json_is_the_result() -> None:
    load = parse_wrk(OUTPUT)
    assert (load.calls, load.failed, load.p50_us, load.p99_us) == (2000, 1, 640.0, 1200.5)
    assert load.calls_per_s == 1000


def test_the_script_holds_path_headers_and_distinct_bodies(tmp_path: Path) -> None:
    door = Door(1, "/v1/chat/completions", "/s", "bench-model", {"authorization": "Bearer sk"})
    text = write_script(door, tmp_path).read_text()
    assert 'wrk.format("POST", "/v1/chat/completions"' in text
    assert '["authorization"]="Bearer sk"' in text
    assert "Note 0000." in text
    assert "Note 0199." in text
