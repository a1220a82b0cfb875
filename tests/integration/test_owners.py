"""Somebody else's run or conversation behaves, on every route, exactly like one that does not exist."""

from typing import Any

import httpx
import pytest

from tests.fixtures.events import send
from tests.fixtures.stack import Stack

RANDOM = {"run": "chat_0123456789abcdefghjkmnpqrs", "conversation": "conv_0123456789abcdefghjkmnpqrs"}

BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/v1/conversations/{conversation}"): {"title": "Mine now"},
    ("POST", "/v1/conversations/{conversation}/messages"): {"content": "Mine now"},
}
"""What a route needs beside the id; a route that is not here needs nothing."""

HEADERS: list[dict[str, str]] = [{}, {"accept": "text/event-stream"}, {"idempotency-key": "k"}]


def seen(answer: httpx.Response, given: str) -> tuple[Any, ...]:
    """Everything of an answer but its date, and the id that was given anyway."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content.replace(given.encode(), b"ID")


async def routes_with_ids(http: httpx.AsyncClient) -> list[tuple[str, str, str]]:
    """Method, path and name of the id, of every route that the application documents with one."""
    document = (await http.get("/openapi.json")).json()
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
            assert len(names) <= 1, f"teach this test about {path}"
            found += [(method.upper(), path, name) for name in names]
    return found


async def test_every_route_that_takes_an_id_is_known_here(stack: Stack) -> None:
    async with stack.client() as http:
        found = await routes_with_ids(http)
    assert {name for _, _, name in found} == RANDOM.keys(), "say what a random id of this kind looks like"
    assert len(found) >= 8
    for route in BODIES:
        assert route in {(method, path) for method, path, _ in found}, f"{route} is no more"


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
async def test_another_users_ids_are_unknown_ones(stack: Stack, ended: bool) -> None:
    async with stack.client() as owner:
        body = {"content": "Hello" if ended else "for 1 hour", "model": "demo-swift" if ended else "demo-marathon"}
        if ended:
            run_id = (await send(owner, **body)).run_id
        else:
            run_id = (await owner.post("/v1/conversations/new/messages", json=body)).json()["run_id"]
        before = (await owner.get(f"/v1/runs/{run_id}")).json()
        real = {"run": run_id, "conversation": before["conversation_id"]}
        name = owner.headers["authorization"]
        async with stack.client() as other, stack.client() as tenant:
            tenant.headers["authorization"] = f"Bearer {stack.token('same-name', tenant='elsewhere')}"
            assert len({name, other.headers["authorization"], tenant.headers["authorization"]}) == 3
            for method, path, kind in await routes_with_ids(other):
                for stranger in (other, tenant):
                    for headers in HEADERS:
                        given = [
                            await stranger.request(
                                method, path.format(**{kind: value}), json=BODIES.get((method, path)), headers=headers
                            )
                            for value in (real[kind], RANDOM[kind])
                        ]
                        assert given[0].status_code == 404, (method, path, given[0].text)
                        assert seen(given[0], real[kind]) == seen(given[1], RANDOM[kind]), (method, path)
        after = (await owner.get(f"/v1/runs/{run_id}")).json()
        assert {k: v for k, v in after.items() if k != "text"} == {k: v for k, v in before.items() if k != "text"}
        await owner.post(f"/v1/runs/{run_id}/cancel")


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
