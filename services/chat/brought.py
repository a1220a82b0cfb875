"""Turns that somebody brings along, instead of having said them here: checked, and taken apart for storing."""

from collections.abc import Sequence

from contracts.content import Turn
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ChatSettings
from services.chat import images
from services.chat.begin_store import Attachment


def keep(turns: Sequence[Turn], limits: ChatSettings) -> tuple[tuple[Turn, ...], list[Attachment]]:
    """The turns with references instead of the images' data, and what they refer to. Raises Refused."""
    shown, attachments = images.keep(
        [image for turn in turns for image in turn.images],
        max_count=limits.max_context_images,
        max_bytes=limits.max_image_bytes,
    )
    left = iter(shown)
    kept = tuple(
        turn.model_copy(update={"images": tuple(next(left) for _ in turn.images)}) if turn.images else turn
        for turn in turns
    )
    size = 0
    for turn in kept:
        text = turn.model_dump_json()
        wording.check_stored(text)
        size += len(text)
    if size > limits.max_context_characters:
        limit = limits.max_context_characters
        raise Refused("message_too_long", f"The messages have {size} characters; the limit is {limit}.")
    return kept, attachments
