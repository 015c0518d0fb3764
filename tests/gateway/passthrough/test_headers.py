"""What travels, and what stays."""

from gateway.passthrough.headers import outgoing_headers, returned_headers


def test_the_clients_secrets_and_addresses_stay() -> None:
    kept = (
        "authorization api-key x-api-key x-goog-api-key cookie host content-length accept-encoding x-forwarded-for "
        "x-gateway-max-cost-usd idempotency-key connection transfer-encoding proxy-authorization x-amz-date "
        "x-amz-security-token x-request-id forwarded upgrade te x-goog-fieldmask"
    )
    assert outgoing_headers({name.encode(): b"x" for name in kept.split()}) == ()


def test_what_the_vendor_is_told_travels() -> None:
    told = {
        b"content-type": b"multipart/form-data; boundary=x",
        b"accept": b"*/*",
        b"anthropic-beta": b"files",
        b"openai-beta": b"assistants=v2",
        b"x-goog-user-project": b"p",
        b"x-amzn-bedrock-trace": b"ENABLED",
    }
    assert dict(outgoing_headers(told)) == told


def test_what_the_connection_header_names_is_for_one_hop() -> None:
    assert outgoing_headers({b"connection": b"close, X-Private", b"x-private": b"1", b"x-other": b"2"}) == (
        (b"x-other", b"2"),
    )


def test_little_of_the_answers_head_comes_back() -> None:
    answered = [
        (b"content-type", b"a/b"),
        (b"set-cookie", b"x"),
        (b"content-disposition", b"attachment"),
        (b"server", b"s"),
    ]
    assert returned_headers(answered) == [(b"content-type", b"a/b"), (b"content-disposition", b"attachment")]
