"""Somebody else's run or conversation behaves, on every route, exactly like one that does not exist."""

import base64
import itertools
from typing import Any

import httpx
import pytest

from tests.fixtures.events import send
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack

RANDOM = {
    "run": "chat_0123456789abcdefghjkmnpqrs",
    "conversation": "conv_0123456789abcdefghjkmnpqrs",
    "message": "msg_0123456789abcdefghjkmnpqrs",
    "attachment": "att_0123456789abcdefghjkmnpqrs",
    "response": "resp_0123456789abcdefghjkmnpqrs",
    "chat_id": "conv_0123456789abcdefghjkmnpqrs",
    "comparison": "cmp_0123456789abcdefghjkmnpqrs",
    "lane": "lane_0123456789abcdefghjkmnpqrs",
    "assistant": "asst_0123456789abcdefghjkmnpqrs",
    "step": "nothing",
    "file": "file_0123456789abcdefghjkmnpqrs",
    "notification": "ntf_0123456789abcdefghjkmnpqrs",
    "webhook": "whk_0123456789abcdefghjkmnpqrs",
}
OTHER_RUNS = {"chat": RANDOM["run"], "arc": "arc_0123456789abcdefghjkmnpqrs"}
NOBODYS = {"model", "token"}
"""Ids of what belongs to nobody, and what is no id but a secret: whoever has it may."""

LISTS = {("GET", "/v1/assistants/{assistant}/runs")}
"""The caller's own runs: those of an assistant that was deleted stay, so an unknown one has none."""

BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/v1/conversations/{conversation}"): {"title": "Mine now"},
    ("POST", "/v1/conversations/{conversation}/messages"): {"content": "Mine now"},
    ("POST", "/v1/conversations/{conversation}/fork"): {},
    ("POST", "/v1/conversations/{conversation}/messages/{message}/regenerate"): {"on_busy": "interrupt"},
    ("PUT", "/v1/conversations/{conversation}/messages/{message}/rating"): {"value": "down"},
    ("POST", "/v1/comparisons/{comparison}/votes"): {"outcome": "tie"},
    ("POST", "/v1/comparisons/{comparison}/runs"): {"add": ["demo-sage"]},
    ("PATCH", "/v1/assistants/{assistant}"): {"name": "Mine now"},
    ("POST", "/v1/runs/{run}/steps/{step}/approval"): {"decision": "approve"},
    ("POST", "/v1/runs/{run}/fork"): {"from": "draft"},
    ("PATCH", "/v1/notifications/webhooks/{webhook}"): {"enabled": False},
    ("POST", "/api/assistants/{assistant}"): {"inputs": {}},
}
"""What a route needs beside the id; a route that is not here needs nothing."""

IMAGE = {"media_type": "image/png", "data": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}

HEADERS: list[dict[str, str]] = [{}, {"accept": "text/event-stream"}, {"idempotency-key": "k"}]


def seen(answer: httpx.Response, *given: str) -> tuple[Any, ...]:
    """Everything of an answer but its date, and the ids that were given anyway."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    content = answer.content
    for name in given:
        content = content.replace(name.encode(), b"ID")
    return answer.status_code, headers, content


async def compare(http: httpx.AsyncClient, body: dict[str, Any], *, ended: bool) -> dict[str, Any]:
    """A comparison, when it has ended or has lanes."""
    run_id = (await http.post("/v1/comparisons", json=body)).json()["run_id"]

    async def found() -> dict[str, Any] | None:
        comparison: dict[str, Any] = (await http.get(f"/v1/comparisons/{run_id}")).json()
        return comparison if not ended or comparison["ended_at"] else None

    comparison = await until(found)
    assert comparison is not None
    return comparison


async def assistant_with_run(http: httpx.AsyncClient, prompt: str, model: str, *, ended: bool) -> dict[str, str]:
    """The ids of a draft, of a run of it that has ended or has begun, of its step, and of a file."""
    definition = {"steps": [{"name": "draft", "prompt": prompt, "model": model}]}
    made = await http.post("/v1/assistants", json={"name": "Mine", "definition": definition})
    assert made.status_code == 201, made.text
    assistant = made.json()["id"]
    run_id = (await http.post(f"/v1/assistants/{assistant}/runs")).json()["run_id"]

    async def found() -> bool:
        run = (await http.get(f"/v1/runs/{run_id}/steps")).json()
        return bool(run["ended_at"]) if ended else bool(run["running"])

    assert await until(found)
    file = (await http.post("/v1/files?name=a.txt", content=b"Mine")).json()["id"]
    return {"assistant": assistant, "run": run_id, "step": "draft", "file": file}


async def told_of(http: httpx.AsyncClient) -> dict[str, str]:
    """The ids of a webhook, and of a notification."""
    webhook = await http.post("/v1/notifications/webhooks", json={"url": "https://example.com/hook"})
    assert webhook.status_code == 201, webhook.text
    assert (await http.patch("/v1/notifications/preferences", json={"webhook": False})).status_code == 200
    await send(http, "Hello", notify="always")

    async def found() -> str | None:
        items = (await http.get("/v1/notifications")).json()["items"]
        return str(items[0]["id"]) if items else None

    return {"webhook": webhook.json()["id"], "notification": await until(found) or ""}


async def routes_with_ids(http: httpx.AsyncClient) -> list[tuple[str, str, list[str]]]:
    """Method, path and names of the ids, of every route that the application documents with some."""
    document = (await http.get("/openapi.json")).json()
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
            found += [(method.upper(), path, names)] if set(names) - NOBODYS else []
    return found


async def test_every_route_that_takes_an_id_is_known_here(stack: Stack) -> None:
    async with stack.client() as http:
        found = await routes_with_ids(http)
    assert {name for _, _, names in found for name in names} == RANDOM.keys(), (
        "say what a random id of this kind looks like"
    )
    assert len(found) >= 8
    for route in BODIES:
        assert route in {(method, path) for method, path, _ in found}, f"{route} is no more"


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
async def test_another_users_ids_are_unknown_ones(stack: Stack, ended: bool) -> None:
    async with stack.client() as owner:
        body: dict[str, Any] = {"content": "for 1 hour", "model": "demo-marathon"}
        if ended:
            run_id = (await send(owner, "Hello", model="mock", images=[IMAGE])).run_id
        else:
            run_id = (await owner.post("/v1/conversations/new/messages", json=body)).json()["run_id"]
        response = (await owner.post("/v1/responses", json={"input": "Hello", "model": "demo-swift"})).json()
        before = (await owner.get(f"/v1/runs/{run_id}")).json()
        messages = (await owner.get(f"/v1/conversations/{before['conversation_id']}/messages")).json()["items"]
        attachments = [each["attachment"] for each in messages[0]["images"]] or [RANDOM["attachment"]]
        real = {
            "run": run_id,
            "conversation": before["conversation_id"],
            "message": messages[-1]["id"],
            "attachment": attachments[0],
            "response": response["id"],
            "chat_id": before["conversation_id"],
        }
        compared = {"prompt": "Hello" if ended else "for 1 hour", "models": ["demo-swift", "demo-marathon"]}
        comparison = await compare(owner, compared, ended=ended)
        real |= {"comparison": comparison["id"], "lane": comparison["lanes"][1]["lane"]}
        model = "demo-swift" if ended else "demo-marathon"
        theirs = await assistant_with_run(owner, "Hello" if ended else "for 1 hour", model, ended=ended)
        real, runs = real | theirs, [run_id, theirs["run"]]
        real |= await told_of(owner)
        name = owner.headers["authorization"]
        assert (await owner.get(f"/v1/responses/{response['id']}")).status_code == 200
        async with stack.client() as other, stack.client() as tenant:
            tenant.headers["authorization"] = f"Bearer {stack.token('same-name', tenant='elsewhere')}"
            assert len({name, other.headers["authorization"], tenant.headers["authorization"]}) == 3
            for method, path, kinds in await routes_with_ids(other):
                for stranger in (other, tenant):
                    for headers, run in itertools.product(HEADERS, runs if "run" in kinds else runs[:1]):
                        body, answers = BODIES.get((method, path)), []
                        for ids in (real | {"run": run}, RANDOM | {"run": OTHER_RUNS[run.partition("_")[0]]}):
                            answer = await stranger.request(method, path.format(**ids), json=body, headers=headers)
                            answers.append(seen(answer, *(ids[kind] for kind in kinds)))
                        expected = (200,) if (method, path) in LISTS else (404, 204)  # 204: nothing to resume
                        assert answers[0][0] in expected, (method, path, answers[0])
                        assert answers[0] == answers[1], (method, path)
        after = (await owner.get(f"/v1/runs/{run_id}")).json()
        assert {k: v for k, v in after.items() if k != "text"} == {k: v for k, v in before.items() if k != "text"}
        assert (await owner.get(f"/v1/comparisons/{comparison['id']}")).json()["vote"] is None
        assert (await owner.get(f"/v1/assistants/{theirs['assistant']}")).json()["name"] == "Mine"
        assert (await owner.get(f"/v1/files/{theirs['file']}")).json()["text"].strip() == "Mine"
        [webhook] = (await owner.get("/v1/notifications/webhooks")).json()["items"]
        assert (webhook["id"], webhook["enabled"]) == (real["webhook"], True)
        for begun in (run_id, comparison["id"], theirs["run"]):
            await owner.post(f"/v1/runs/{begun}/cancel")


async def test_the_same_name_in_another_tenant_is_somebody_else(stack: Stack) -> None:
    async with stack.client("ada") as one, stack.client("ada") as two:
        two.headers["authorization"] = f"Bearer {stack.token('ada', tenant='elsewhere')}"
        told = await send(one, "Hello")
        conversation = told.one("run.created")["conversation_id"]
        assert (await one.get(f"/v1/runs/{told.run_id}")).status_code == 200
        assert (await two.get(f"/v1/runs/{told.run_id}")).status_code == 404
        assert (await two.get(f"/v1/runs/{told.run_id}/events")).status_code == 404
        assert (await two.get(f"/v1/conversations/{conversation}")).status_code == 404
        for kind in ("runs", "conversations"):
            assert (await two.get(f"/v1/{kind}")).json()["items"] == []


async def test_lists_hold_only_what_is_the_callers_own(stack: Stack) -> None:
    async with stack.client() as one, stack.client() as other:
        mine, theirs = await send(one, "Mine"), await send(other, "Theirs")
        for http, told in ((one, mine), (other, theirs)):
            runs = (await http.get("/v1/runs")).json()["items"]
            conversations = (await http.get("/v1/conversations")).json()["items"]
            assert [run["id"] for run in runs] == [told.run_id]
            assert [each["id"] for each in conversations] == [told.one("run.created")["conversation_id"]]
        beyond = (await other.get("/v1/runs", params={"before": f"{mine.run_id}z"})).json()["items"]
        assert mine.run_id not in {run["id"] for run in beyond}


async def test_a_deleted_conversation_is_an_unknown_one_and_takes_its_run_along(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        conversation = told.one("run.created")["conversation_id"]
        assert (await http.delete(f"/v1/conversations/{conversation}")).status_code == 204
        for url, given in (
            (f"/v1/conversations/{conversation}", conversation),
            (f"/v1/conversations/{conversation}/messages", conversation),
            (f"/v1/runs/{told.run_id}", told.run_id),
        ):
            kind = "run" if given == told.run_id else "conversation"
            random = await http.get(url.replace(given, RANDOM[kind]))
            assert seen(await http.get(url), given) == seen(random, RANDOM[kind]), url
        for kind in ("runs", "conversations"):
            assert (await http.get(f"/v1/{kind}")).json()["items"] == []
