"""Checking a signature as the service does, worked out from AWS's description of Signature Version 4 alone.

Reference: AWS General Reference, "Create a signed AWS API request" (November 2026).
"""

import hmac
import re
from hashlib import sha256
from urllib.parse import quote

from providers.adapters.http import UpstreamRequest

ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = f'{{"aws_access_key_id":"{ACCESS_KEY}","aws_secret_access_key":"{SECRET_KEY}"}}'

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/bedrock/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def assert_signed(
    request: UpstreamRequest, *, region: str, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY
) -> list[str]:
    """Return the names of the headers that are signed, where the signature of the request is right."""
    headers = {name.decode(): value.decode() for name, value in request.headers}
    assert len(headers) == len(request.headers), "no header stands twice"
    headers["host"] = request.origin.host_header.decode()
    found = _AUTHORIZATION.fullmatch(headers["authorization"])
    assert found, headers["authorization"]
    assert (found["access"], found["region"]) == (access_key, region)
    signed = found["signed"].split(";")
    assert {"host", *(name for name in headers if name.startswith("x-amz-"))} <= set(signed)
    assert isinstance(request.body, bytes)
    canonical = "\n".join(
        [
            request.method,
            quote(request.target.decode(), safe="/-_.~"),  # encoded once more than on the wire
            "",
            *(f"{name}:{headers[name].strip()}" for name in signed),
            "",
            ";".join(signed),
            sha256(request.body).hexdigest(),
        ]
    )
    at = headers["x-amz-date"]
    assert at.startswith(found["day"])
    scope = f"{found['day']}/{region}/bedrock/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for word in (found["day"], region, "bedrock", "aws4_request"):
        key = hmac.new(key, word.encode(), sha256).digest()
    assert hmac.new(key, to_sign.encode(), sha256).hexdigest() == found["signature"]
    return signed
