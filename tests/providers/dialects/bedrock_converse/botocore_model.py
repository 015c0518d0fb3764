"""botocore's model of Bedrock's runtime, to say whether a request is one and what an answer holds."""

import warnings
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator


@lru_cache(maxsize=1)
def service() -> Any:
    """Return the service's model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def shape(name: str) -> Any:
    """Return a shape by its name."""
    return service().shape_for(name)


def complaints(body: dict[str, Any], model: str = "amazon.nova-pro-v1:0") -> str:
    """Return what botocore finds wrong with a request of Converse, "" for nothing."""
    wanted = service().operation_model("Converse").input_shape
    return str(ParamValidator().validate({"modelId": model, **body}, wanted).generate_report())


def parse(body: bytes) -> dict[str, Any]:
    """Return a whole answer as botocore reads it."""
    answer = {"body": body, "headers": {}, "status_code": 200}
    found: dict[str, Any] = create_parser("rest-json").parse(answer, service().operation_model("Converse").output_shape)
    return found
