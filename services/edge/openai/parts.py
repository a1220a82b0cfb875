"""What clients say in messages: texts and pictures, in both of OpenAI's dialects."""

import base64
import binascii
import re
from typing import Any

from contracts.content import Image
from services.edge.openai.errors import Mistake

_DATA_URL = re.compile(r"data:(image/[a-z+.-]+);base64,")
_MEDIA_TYPES = {"image/jpeg", "image/png", "image/webp", "image/gif"}
_TEXTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Types of parts that are texts, and the field that holds it."""
_IMAGES = {"image_url", "input_image"}
_REFUSED = {"input_audio": "audio", "audio": "audio", "file": "files", "input_file": "files", "video_url": "videos"}

BETWEEN_PARTS = "\n"
SHOWN_CHARACTERS = 60
"""Of something wrong, in the answer that says so."""

Said = tuple[str, tuple[Image, ...]]


def said(content: Any, where: str, *, images: bool = False, between: str = BETWEEN_PARTS) -> Said:
    """The text and the pictures of a message's content. Raises Mistake."""
    if content is None:
        return "", ()
    if isinstance(content, str):
        return content, ()
    if not isinstance(content, list):
        raise Mistake(where, f"{where} must be a text or a list of parts.")
    texts, pictures = [], []
    for number, part in enumerate(content):
        place = f"{where}[{number}]"
        kind = string(fields(part, place), "type", place)
        if kind in _TEXTS:
            texts.append(string(part, _TEXTS[kind], place))
        elif kind in _IMAGES and images:
            pictures.append(_image(part, kind, place))
        elif kind in _IMAGES:
            raise Mistake(place, f"{place}: pictures are taken in messages of the user only.")
        elif kind in _REFUSED:
            raise Mistake(place, f"{place}: {_REFUSED[kind]} are not supported.")
        else:
            raise Mistake(place, f"{place}: there is no part of the type {shown(kind)}.")
    return between.join(texts), tuple(pictures)


def _image(part: dict[str, Any], kind: str, where: str) -> Image:
    url = part.get("image_url")
    if kind == "image_url":
        url, where = fields(url, f"{where}.image_url").get("url"), f"{where}.image_url.url"
    elif url is None:
        raise Mistake(f"{where}.image_url", f"{where} has no image_url; uploaded files are not supported.")
    if not isinstance(url, str):
        raise Mistake(where, f"{where} must be a text.")
    if url.startswith("https://"):
        return Image(url=url)
    found = _DATA_URL.match(url[:SHOWN_CHARACTERS].lower())
    if found is None:
        raise Mistake(where, f"{where} must be an https:// address or a data:image/…;base64 URL.")
    media_type = found[1].replace("image/jpg", "image/jpeg")
    if media_type not in _MEDIA_TYPES:
        raise Mistake(where, f"{where}: pictures are JPEG, PNG, WebP or GIF, not {shown(media_type)}.")
    data = url[found.end() :]
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Mistake(where, f"{where}: what follows base64, is not base64.") from None
    return Image(media_type=media_type, data=data)


def fields(value: Any, where: str) -> dict[str, Any]:
    """A JSON object. Raises Mistake."""
    if not isinstance(value, dict):
        raise Mistake(where, f"{where} must be an object.")
    return value


def string(value: dict[str, Any], name: str, where: str, *, limit: int | None = None) -> str:
    """A text field of an object; with a limit it must not be empty or longer. Raises Mistake."""
    text, place = value.get(name), f"{where}.{name}"
    if not isinstance(text, str):
        raise Mistake(place, f"{place} must be a text.")
    if limit is not None and not 1 <= len(text) <= limit:
        raise Mistake(place, f"{place} must have 1 to {limit} characters.")
    return text


def shown(value: Any) -> str:
    """Something that a client sent, in the answer that says what is wrong with it."""
    return repr(value[:SHOWN_CHARACTERS] if isinstance(value, str) else value)[: SHOWN_CHARACTERS + 2]
