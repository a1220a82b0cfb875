"""Images as they come with a message: checked, and taken apart into what is stored with it and what is kept beside."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from contracts.content import Image, Turn
from kit.refusal import Refused
from services.chat.begin_store import Attachment

ID_CHARACTERS = 40
MAX_URL_CHARACTERS = 2048

_BEGINNINGS = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
_WEBP = slice(8, 12)


def keep(images: Sequence[Image], *, max_count: int, max_bytes: int) -> tuple[list[Image], list[Attachment]]:
    """The images with references instead of data, and what they refer to. Raises Refused.

    The id of an attachment is made from its bytes: the same image is kept once in a conversation.
    """
    if len(images) > max_count:
        raise Refused("too_many_images", f"There are {len(images)} images; the limit is {max_count}.")
    kept: dict[str, Attachment] = {}
    shown = []
    for image in images:
        if image.attachment is not None:
            raise Refused("invalid_image", "An image is sent as data or as an https url.")
        if image.data is None:
            shown.append(_checked_url(image))
            continue
        data = _decoded(image.data, max_bytes)
        media_type = image.media_type or ""
        if not data.startswith(_BEGINNINGS[media_type]) or (media_type == "image/webp" and data[_WEBP] != b"WEBP"):
            raise Refused("invalid_image", f"This is not an image of the type {media_type}.")
        digest = hashlib.sha256(media_type.encode() + b"\n" + data).hexdigest()
        name = f"att_{digest[:ID_CHARACTERS]}"
        kept[name] = Attachment(name, media_type, data)
        shown.append(Image(media_type=media_type, attachment=name))
    return shown, list(kept.values())


def _decoded(text: str, max_bytes: int) -> bytes:
    if len(text) * 3 // 4 > max_bytes + 2:
        raise Refused("image_too_large", f"An image has more than {max_bytes} bytes.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("invalid_image", "The data of an image is not base64.") from error
    if len(data) > max_bytes:
        raise Refused("image_too_large", f"An image has more than {max_bytes} bytes.")
    return data


def _checked_url(image: Image) -> Image:
    if image.url is None or len(image.url) > MAX_URL_CHARACTERS or not image.url.isprintable():
        raise Refused("invalid_image", f"The url of an image has at most {MAX_URL_CHARACTERS} printable characters.")
    return image


def names(turns: Iterable[Turn]) -> list[str]:
    """The attachments that some turns show."""
    return [image.attachment for turn in turns for image in turn.images if image.attachment is not None]


def inlined(turns: Sequence[Turn], kept: dict[str, Attachment]) -> tuple[Turn, ...]:
    """The same turns with data instead of references. An attachment that is gone is left out."""
    return tuple(
        turn.model_copy(update={"images": tuple(_whole(turn.images, kept))}) if turn.images else turn for turn in turns
    )


def _whole(images: Sequence[Image], kept: dict[str, Attachment]) -> Iterable[Image]:
    for image in images:
        if image.attachment is None:
            yield image
        elif (found := kept.get(image.attachment)) is not None:
            yield Image(media_type=found.media_type, data=base64.b64encode(found.data).decode())


def stored(images: Sequence[Image]) -> list[dict[str, Any]]:
    """Images as a column of JSON holds them."""
    return [image.model_dump(exclude_none=True) for image in images]
