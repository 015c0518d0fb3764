"""What the mock costs: invented prices of a usual size, so that every figure can be tried without a provider."""

from decimal import Decimal
from types import MappingProxyType

from providers.catalogs.listed import ListedPrice, Usd

VENDOR = "mock"
_PRICES = MappingProxyType(
    {
        "mock-small": {"input_per_mtok": "0.15", "cached_input_per_mtok": "0.075", "output_per_mtok": "0.60"},
        "mock-large": {"input_per_mtok": "2.50", "cached_input_per_mtok": "1.25", "output_per_mtok": "10"},
        "mock-embedding": {"input_per_mtok": "0.02"},
        "mock-image": {"input_per_mtok": "5", "output_per_mtok": "40"},
        "mock-speech": {"per_mcharacter": "15"},
        "mock-transcribe": {"per_audio_minute": "0.006"},
        "mock-moderation": {"input_per_mtok": "0"},
        "mock-rerank": {"per_search": "0.002"},
    }
)


def list_mock_prices() -> list[ListedPrice]:
    """Return the prices of the mock's models, directions behind their names or not."""
    return [
        ListedPrice(
            vendor=VENDOR,
            model=model,
            usd={name: Usd(Decimal(amount)) for name, amount in amounts.items()},
            match={"starts_with": f"{model}?"},
        )
        for model, amounts in _PRICES.items()
    ]
