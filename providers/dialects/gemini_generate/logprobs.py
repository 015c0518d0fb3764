"""How sure the model was of each token: Gemini's `logprobsResult` and OpenAI's list of tokens, which the hub keeps."""

import msgspec


class Candidate(msgspec.Struct, rename="camel", omit_defaults=True):
    """A token with its probability."""

    token: str | None = None
    log_probability: float | None = None


class TopCandidates(msgspec.Struct, rename="camel"):
    """The likeliest tokens of one place."""

    candidates: list[Candidate] | None = None


class LogprobsResult(msgspec.Struct, rename="camel", omit_defaults=True):
    """The tokens that were chosen, and for each place the likeliest."""

    chosen_candidates: list[Candidate] | None = None
    top_candidates: list[TopCandidates] | None = None


class _Top(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Token(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[_Top] = []


_tokens = msgspec.json.Decoder(list[_Token])


def read_logprobs(wire: LogprobsResult | None) -> msgspec.Raw | None:
    """Return OpenAI's list of tokens; None where there is none."""
    if wire is None or not wire.chosen_candidates:
        return None
    tops = [[_top(top) for top in place.candidates or ()] for place in wire.top_candidates or ()]
    tokens = []
    for place, chosen in enumerate(wire.chosen_candidates):
        top = _top(chosen)
        likeliest = tops[place] if place < len(tops) else []
        tokens.append(_Token(top.token, top.logprob, top.bytes, likeliest))
    return msgspec.Raw(msgspec.json.encode(tokens))


def write_logprobs(raw: msgspec.Raw | None) -> LogprobsResult | None:
    """Return `logprobsResult`; None where there are no tokens, or the list is none of OpenAI's."""
    if raw is None:
        return None
    try:
        tokens = _tokens.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not tokens:
        return None
    tops = [TopCandidates([Candidate(top.token, top.logprob) for top in token.top_logprobs]) for token in tokens]
    return LogprobsResult(
        chosen_candidates=[Candidate(token.token, token.logprob) for token in tokens],
        top_candidates=tops if any(top.candidates for top in tops) else None,
    )


def _top(wire: Candidate) -> _Top:
    token = wire.token or ""
    return _Top(token, wire.log_probability or 0.0, list(token.encode(errors="surrogatepass")))
