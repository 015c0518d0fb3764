"""Making pictures, in the one form that every dialect translates to and from."""

from collections.abc import Mapping

import msgspec

from providers.dialects.canonical import Dialect, Usage


class PictureRequest(msgspec.Struct, frozen=True):
    """A picture to make of words. `width` and `height` are in pixels, None where nobody says."""

    model: str
    prompt: str
    dialect: Dialect
    n: int = 1
    width: int | None = None
    height: int | None = None
    quality: str = ""
    inline: bool | None = None
    seed: int | None = None
    negative_prompt: str = ""
    user: str = ""
    extras: Mapping[str, msgspec.Raw] = {}


class Picture(msgspec.Struct, frozen=True):
    """A picture that was made: base64, or where it is to be found."""

    data: str = ""
    url: str = ""
    media_type: str = "image/png"
    revised_prompt: str = ""


class PictureAnswer(msgspec.Struct, frozen=True):
    """The pictures, in the order they came."""

    pictures: tuple[Picture, ...]
    usage: Usage | None = None
