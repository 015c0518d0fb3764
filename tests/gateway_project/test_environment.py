"""What the environment may say, and that the secrets it leaves out are made once and kept from others."""

from pathlib import Path

import pytest

from gateway_project import environment

NAME = "GATEWAY_TEST_SETTING"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("true", True), ("1", True), (" Yes ", True), ("on", True), ("FALSE", False), ("0", False), ("off", False)],
)
def test_flags(monkeypatch: pytest.MonkeyPatch, word: str, expected: bool) -> None:
    monkeypatch.setenv(NAME, word)
    assert environment.flag(NAME, default=not expected) is expected


@pytest.mark.parametrize("word", [None, "", "  "])
def test_what_is_not_said_is_the_default(monkeypatch: pytest.MonkeyPatch, word: str | None) -> None:
    if word is not None:
        monkeypatch.setenv(NAME, word)
    assert environment.flag(NAME, default=True) is True
    assert environment.number(NAME, default=2.5) == 2.5


@pytest.mark.parametrize("word", ["maybe", "2", "truee"])
def test_a_word_that_is_no_flag_is_named(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(NAME, word)
    with pytest.raises(ValueError, match=f"{NAME} is .*{word}.*say true or false"):
        environment.flag(NAME, default=True)


@pytest.mark.parametrize("word", ["many", "1,5", "nan", "inf", "-1", "1e999"])
def test_a_word_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(NAME, word)
    with pytest.raises(ValueError, match=f"{NAME} is .*{word}.*give a number"):
        environment.number(NAME, default=1)


def test_the_data_directory_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "a" / "b"))
    assert environment.data_dir(tmp_path) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
    monkeypatch.delenv("GATEWAY_DATA_DIR")
    assert environment.data_dir(tmp_path) == tmp_path / "data"


@pytest.fixture
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_SECRET_KEY", "GATEWAY_KEY_PEPPER", "GATEWAY_SEALING_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("unsaid")
def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    made = environment.load_secrets(tmp_path)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert environment.load_secrets(tmp_path) == made
    (tmp_path / "other").mkdir()
    assert environment.load_secrets(tmp_path / "other") != made


@pytest.mark.usefixtures("unsaid")
def test_what_the_environment_says_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = environment.load_secrets(tmp_path)
    monkeypatch.setenv("GATEWAY_KEY_PEPPER", "pepper")
    monkeypatch.setenv("GATEWAY_SEALING_KEYS", " new , old ,")
    assert environment.load_secrets(tmp_path) == kept | {"key_pepper": "pepper", "sealing_keys": ["new", "old"]}


def test_a_choice_is_one_of_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.choice(NAME, among=("", "open", "closed")) == ""
    monkeypatch.setenv(NAME, " Closed ")
    assert environment.choice(NAME, among=("", "open", "closed")) == "closed"
    monkeypatch.setenv(NAME, "ajar")
    with pytest.raises(ValueError, match=f"{NAME} is 'ajar'; say 'open' or 'closed'"):
        environment.choice(NAME, among=("", "open", "closed"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 587, "", "", False, True)),
        ("smtp://mail.example:2525?starttls=false", ("mail.example", 2525, "", "", False, False)),
        ("smtps://me%40x:p%2Fw@mail.example", ("mail.example", 465, "me@x", "p/w", True, False)),
    ],
)
def test_where_mail_goes(url: str, expected: tuple[object, ...]) -> None:
    assert tuple(environment.mail(url).values()) == expected


def test_no_mail_server_is_no_setting_and_a_wrong_one_is_named() -> None:
    assert environment.mail("") == {}
    with pytest.raises(ValueError, match="GATEWAY_EMAIL_URL"):
        environment.mail("mail.example")
