import json

import msgspec
from google.genai import types

from providers.dialects.gemini_generate.logprobs import (
    Candidate,
    LogprobsResult,
    TopCandidates,
    read_logprobs,
    write_logprobs,
)

RESULT = LogprobsResult(
    chosen_candidates=[Candidate("é", -0.5), Candidate("b", -0.1)],
    top_candidates=[TopCandidates([Candidate("é", -0.5), Candidate("x", -2.0)]), TopCandidates([])],
)


def test_probabilities_are_read_as_openai_writes_them_and_written_back() -> None:
    raw = read_logprobs(RESULT)
    assert raw is not None
    first, second = json.loads(bytes(raw))
    assert (first["token"], first["logprob"], first["bytes"]) == ("é", -0.5, [195, 169])
    assert [top["token"] for top in first["top_logprobs"]] == ["é", "x"]
    assert second["top_logprobs"] == []
    assert write_logprobs(raw) == RESULT
    types.LogprobsResult.model_validate(msgspec.to_builtins(RESULT))


def test_nothing_is_nothing() -> None:
    assert read_logprobs(None) is None
    assert read_logprobs(LogprobsResult()) is None
    assert write_logprobs(None) is None
    assert write_logprobs(msgspec.Raw(b"[]")) is None
    assert write_logprobs(msgspec.Raw(b"{}")) is None
