import json

from google.genai import types

from providers.dialects.gemini_generate.models import encode_model, encode_models


def test_the_list_holds_each_model_as_google_tells_of_one() -> None:
    listed = json.loads(encode_models([("smart", 8192), ("quick", None)]))["models"]
    assert listed == [json.loads(encode_model("smart", 8192)), json.loads(encode_model("quick", None))]
    assert (listed[0]["name"], listed[0]["outputTokenLimit"]) == ("models/smart", 8192)
    assert "generateContent" in listed[0]["supportedGenerationMethods"]
    assert "outputTokenLimit" not in listed[1]
    types.Model.model_validate({name: listed[0][name] for name in ("name", "displayName", "outputTokenLimit")})
