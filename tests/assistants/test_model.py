"""The hashing model over HTTP: it says what the pure part says, and fails as it is ordered to."""

import json
from typing import Any

import aiohttp
import pytest

from services.inference.continuation import GO_ON
from tests.assistants import hashing
from tests.assistants.hashing import PREFILL
from tests.assistants.model import HashModel, hash_model


async def ask(model: HashModel, *messages: tuple[str, str]) -> tuple[int, str, str]:
    """The status, the text, and what the stream ended with."""
    body = {"model": PREFILL, "messages": [{"role": role, "content": text} for role, text in messages]}
    text, ending = "", ""
    async with aiohttp.ClientSession() as http, http.post(f"{model.base_url}/chat/completions", json=body) as answer:
        try:
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    told: dict[str, Any] = json.loads(line[6:])
                    ending = "error" if "error" in told else ending
                    for choice in told.get("choices", ()):
                        text += choice["delta"].get("content", "")
                        ending = choice["finish_reason"] or ending
        except aiohttp.ClientError:
            ending = "cut"
        return answer.status, text, ending


async def test_an_answer_is_a_hash_of_everything_that_was_asked() -> None:
    async with hash_model() as model:
        asked = (("system", "s"), ("user", "[[words=9 mark=m step=a]] Hello"))
        said = await ask(model, *asked)
        assert said == (200, hashing.answer(asked, PREFILL, 9), "stop")
        assert said == await ask(model, *asked)
        for other in ((("system", "S"), asked[1]), (asked[1],), (asked[0], ("user", asked[1][1] + " "))):
            assert (await ask(model, *other))[1] not in (said[1], "")
        assert model.asked("m") == {"a": 5}


@pytest.mark.parametrize("begun", [0, 1, 20, 68])
async def test_it_goes_on_with_what_is_its_own(begun: int) -> None:
    async with hash_model() as model:
        asked = ("user", "[[words=9]]")
        whole = hashing.answer((asked,), PREFILL, 9)
        beginning = ("assistant", whole[:begun])
        assert (await ask(model, asked, beginning))[1] == whole[begun:]
        assert (await ask(model, asked, beginning, ("user", GO_ON)))[1] == whole[begun:]
        assert (await ask(model, asked, ("assistant", whole[:begun] + "x")))[0] == 400


async def test_it_fails_as_ordered_and_as_often() -> None:
    async with hash_model() as model:
        for said, status, words, ending in (
            ("refuse=429", 429, 0, ""),
            ("broken=3", 200, 3, "error"),
            ("cut=4", 200, 4, "cut"),
        ):
            asked = ("user", f"[[words=9 {said} times=2]]")
            whole = hashing.answer((asked,), PREFILL, 9)
            for _ in range(2):
                assert await ask(model, asked) == (status, hashing.beginning(whole, words), ending)
            assert await ask(model, asked) == (200, whole, "stop")
            other = ("user", f"[[words=9 {said} on=another]]")
            assert (await ask(model, other))[0] == 200
