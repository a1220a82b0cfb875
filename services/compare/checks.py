"""What compare refuses: values in, values or Refused out."""

import json
import re
from collections.abc import Sequence

from contracts.compare import ExtendComparison, LaneWish
from contracts.content import Turn
from contracts.generation import Parameters
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import CompareSettings
from services.compare.models import Compared

MIN_LANES = 2
MAX_URL_CHARACTERS = 2048
QUOTED_CHARACTERS = 100
"""Of something unknown that was asked for, in the answer that says so."""
UNKNOWN_LANE = "There is no such lane in this run."
_BYTES_PER_BASE64 = 3 / 4


def check_turns(turns: Sequence[Turn], limits: CompareSettings) -> None:
    """Refused if there is no question at the end, or too much of anything, or something that cannot be stored."""
    last = turns[-1]
    if last.role != "user":
        raise Refused("invalid_message", "The last message is the question: its role is `user`.")
    if (length := len(last.content)) > limits.max_message_characters:
        raise Refused(
            "message_too_long", f"The message has {length} characters; the limit is {limits.max_message_characters}."
        )
    size = 0
    for turn in turns:
        if turn.tool_calls or turn.results or turn.role == "tool":
            raise Refused("tools_not_supported", "A conversation with calls of tools cannot be compared.")
        if not turn.content.strip() and not turn.images:
            raise Refused("empty_message", "A message is empty.")
        if turn.images and turn.role != "user":
            raise Refused("invalid_message", "Only messages of the user have images.")
        text = turn.model_dump_json(exclude={"images"})
        wording.check_stored(text)
        size += len(text)
    if next(turn.role for turn in turns if turn.role != "system") != "user":
        raise Refused("invalid_message", "A conversation begins with a message of the user.")
    if size > limits.max_context_characters:
        limit = limits.max_context_characters
        raise Refused("message_too_long", f"The messages have {size} characters; the limit is {limit}.")
    _check_images(turns, limits)


def _check_images(turns: Sequence[Turn], limits: CompareSettings) -> None:
    images = [image for turn in turns for image in turn.images]
    if len(images) > limits.max_images:
        raise Refused("too_many_images", f"There are {len(images)} images; the limit is {limits.max_images}.")
    size = 0
    for image in images:
        if image.attachment is not None:
            raise Refused("invalid_image", "An image is sent as data or as an https url.")
        if image.url is not None and (len(image.url) > MAX_URL_CHARACTERS or not image.url.isprintable()):
            raise Refused(
                "invalid_image", f"The url of an image has at most {MAX_URL_CHARACTERS} printable characters."
            )
        if image.data is not None:
            if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", image.data) or len(image.data) % 4:
                raise Refused("invalid_image", "The data of an image is not base64.")
            size += round(len(image.data) * _BYTES_PER_BASE64)
    if size > limits.max_image_bytes:
        raise Refused("image_too_large", f"The images have {size} bytes; the limit is {limits.max_image_bytes}.")


def check_parameters(parameters: Parameters, limit: int) -> None:
    """Refused if there is too much of them, or tools, or something that cannot be stored."""
    if parameters.tools or parameters.tool_choice is not None:
        raise Refused("tools_not_supported", "Models are compared without tools.")
    wording.check_parameters(parameters, limit)


def check_count(count: int, limits: CompareSettings) -> None:
    """Refused if there are too few models, or too many."""
    if count < MIN_LANES:
        raise Refused("too_few_models", f"A comparison needs {MIN_LANES} models or more.")
    if count > limits.max_lanes:
        raise Refused("too_many_models", f"There are {count} models; the limit is {limits.max_lanes}.")


def check_different(asked: Sequence[tuple[str, Parameters]]) -> None:
    """Refused if one model is asked for twice with the same parameters."""
    seen: set[str] = set()
    for model, parameters in asked:
        same = json.dumps([model, parameters.model_dump(mode="json", exclude_none=True)], sort_keys=True)
        if same in seen:
            raise Refused("duplicate_model", f"The model {model!r} is there twice, with the same parameters.")
        seen.add(same)


def check_extension(parent: Compared, command: ExtendComparison, *, blind: bool) -> None:
    """Refused if this cannot follow. `blind`: the id of the new run says that its models are hidden."""
    if parent.run.status == "running":
        raise Refused("run_in_progress", "This comparison is still running. Wait for it or cancel it.")
    if parent.hidden and (command.add or not blind):
        raise Refused("not_voted", "The models of this comparison are hidden: vote first.")
    if blind and not parent.hidden:
        raise Refused("already_voted", "Its models are not hidden any more: ask again.")
    if unknown := set(command.retry) - {lane.lane for lane in parent.lanes}:
        raise Refused("unknown_lane", f"There is no such lane in this run: {min(unknown)}.")
    if not command.add and not command.retry:
        raise Refused("nothing_to_do", "Name a model to add or a lane to retry.")


def check_offered(wishes: Sequence[LaneWish], offered: Sequence[str], *, named: bool = True) -> None:
    """Refused if a model is not offered; if it may not be `named`, without saying which."""
    for wish in wishes:
        if wish.model not in offered:
            if not named:
                raise Refused("unknown_model", "A model of this comparison is not offered any more.")
            name = wish.model[:QUOTED_CHARACTERS]
            raise Refused("unknown_model", f"There is no model {name!r}. GET /v1/models lists those there are.")
