"""YAML with places: values, marks, merges, repetitions, and what is refused."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_project.configuration.document import (
    ConfigurationRefused,
    Mapping,
    Mark,
    Scalar,
    parse_document,
    read_document,
    spell_path,
    walk_leaves,
)


def parse(text: str) -> Mapping:
    return parse_document(text, file="f.yaml")


def parsed_or_none(text: str) -> Mapping | None:
    try:
        return parse(text)
    except ConfigurationRefused:
        return None


def scalar(document: Mapping, key: str) -> Scalar:
    node = document.get(key)
    assert isinstance(node, Scalar)
    return node


def test_keys_and_values_know_their_place() -> None:
    document = parse("a: 1\nb:\n  - x\n  - c: two\n")
    assert document.entries[1].at == Mark("f.yaml", 2, 1)
    leaves = {spell_path(leaf.path): str(leaf.at) for leaf in walk_leaves(document)}
    assert leaves == {"a": "f.yaml:1:1", "b[0]": "f.yaml:3:5", "b[1].c": "f.yaml:4:5"}


def test_empty_containers_are_leaves() -> None:
    assert [spell_path(leaf.path) for leaf in walk_leaves(parse("a: {}\nb: []\nc:\n"))] == ["a", "b", "c"]


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse("# nothing\n").entries == ()


def test_scalars_keep_their_text() -> None:
    document = parse("price: 0.10\nswitch: yes\nnothing: ~\nday: 2030-01-31\n")
    assert (scalar(document, "price").value, scalar(document, "price").text) == (0.1, "0.10")
    assert scalar(document, "switch").value is True
    assert scalar(document, "nothing").value is None
    assert scalar(document, "day").value == "2030-01-31"


def test_merge_keys_are_resolved_and_own_keys_win() -> None:
    document = parse("base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3\n")
    mine = document.get("mine")
    assert isinstance(mine, Mapping)
    assert {entry.key: getattr(entry.node, "value", None) for entry in mine.entries} == {"x": 1, "y": 3}
    assert mine.repeated == ()


def test_a_repeated_key_is_kept_apart() -> None:
    document = parse("a: 1\na: 2\n")
    assert scalar(document, "a").value == 2
    assert [str(entry.at) for entry in document.repeated] == ["f.yaml:1:1"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2"),
        ("a: 'open\n", "f.yaml:2:1"),
        ("a:\n\t- tab\n", "f.yaml:2:1"),
        ("a: *nowhere\n", "f.yaml:1:4"),
        ("a: &x [*x]\n", "f.yaml:1:4"),
        ("? [1, 2]\n: b\n", "f.yaml:1:3"),
        ("a: 1\nb: 2099-13-45\n", "f.yaml:2:4"),
        ("a: fine\nb: \x07\n", "f.yaml:2:4"),
        ("a: <<\n--- \nb: 1\n", "f.yaml:2:1"),
        ("<<: 3\n", "f.yaml:1:5"),
        ("- a list\n", "f.yaml:1:1"),
    ],
)
def test_what_is_no_configuration_names_its_place(text: str, place: str) -> None:
    with pytest.raises(ConfigurationRefused) as refusal:
        parse(text)
    assert [str(problem.at) for problem in refusal.value.problems] == [place]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match=r"gone\.yaml:1:1: can't be read"):
        read_document(tmp_path / "gone.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(ConfigurationRefused, match="can't be read"):
        read_document(tmp_path / "bytes.yaml")


@settings(deadline=None)
@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)))
def test_scalars_come_back_as_they_were_written(value: object) -> None:
    assert scalar(parse(yaml.safe_dump({"key": value})), "key").value == value


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_with_a_place(text: str) -> None:
    places = [leaf.at for leaf in walk_leaves(parsed)] if (parsed := parsed_or_none(text)) else []
    assert all(at.line >= 1 and at.column >= 1 for at in places)
