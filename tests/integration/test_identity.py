"""Local mode has no password: whatever another web page makes the browser send is refused."""

import time

import pytest

from kit.auth.tokens import sign_token
from kit.settings import AuthSettings
from tests.fixtures.events import send
from tests.fixtures.raw_http import ask, request
from tests.fixtures.stack import SECRET, Stack
from tests.fixtures.strangers import COOKIE, encoded, get, own, signed

UNSIGNED = f"{encoded({'alg': 'none'})}.{encoded({'iss': 'ai-studio', 'sub': 'ada', 'tenant': 't', 'exp': 9e9})}."
BAD_TOKENS = {
    "nothing": "",
    "no token": "garbage",
    "three garbages": "a.b.c",
    "unsigned": UNSIGNED,
    "unsigned with a signature": UNSIGNED + "AAAA",
    "of another secret": signed("another secret that is long enough to be one"),
    "of another algorithm": signed(header={"alg": "HS512"}),
    "unsigned by its header": signed(header={"alg": "none"}),
    "expired": signed(exp=int(time.time()) - 3600),
    "without expiry": signed(exp=None),
    "expiry is no number": signed(exp="tomorrow"),
    "of another issuer": signed(iss="somebody"),
    "without issuer": signed(iss=None),
    "of nobody": signed(sub=None),
    "of an empty name": signed(sub=""),
    "name is no text": signed(sub=7),
    "tenant is no text": signed(tenant=["a"]),
    "without tenant": signed(tenant=None),
    "name too long": signed(sub="x" * 201),
    "name is no Unicode": signed(sub="\ud800"),
    "cut": signed()[:-4],
    "altered": signed()[:-4] + "AAAA",
    "header is no object": f"{encoded([1])}.{encoded({})}.AAAA",
    "algorithm is a list": f"{encoded({'alg': ['HS256']})}.{encoded({})}.AAAA",
    "payload is no object": signed(payload=[1]),
    "payload is no JSON": signed(payload=b"garbage"),
    "deep header": f"{encoded(b'[' * 9000)}.{encoded({})}.AAAA",
    "deep payload": signed(payload=b"[" * 9000),
    "no base64": "ä.ö.ü",
    "critical extension": signed(header={"alg": "HS256", "crit": ["x"], "x": 1}),
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
async def test_a_token_that_is_not_valid_is_refused(stack: Stack, token: str) -> None:
    answer = await get(stack, {"authorization": f"Bearer {token}"})
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "bearer ", "Digest x", "Token abc", "x"])
async def test_another_way_to_sign_in_is_refused(stack: Stack, header: str) -> None:
    answer = await get(stack, {"authorization": header})
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")


async def test_a_valid_token_is_let_in(stack: Stack) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await get(stack, {"authorization": f"{scheme} {signed()}"})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8484",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[::2]",
        "[",
        "[::1",
        "",
        "127.0.0.2",
        "evil.example#127.0.0.1",
        "a@evil.example",
        "127.0.0.1@evil.example",
        "http://127.0.0.1",
        "0.0.0.0",
    ],
)
async def test_another_host_is_refused(stack: Stack, host: str) -> None:
    for target in ("/v1/runs", "/healthz", "/docs", "/openapi.json"):
        answer = await get(stack, {"host": host, "authorization": f"Bearer {signed()}"}, target)
        assert (answer.status, answer.json["code"]) == (403, "forbidden"), target


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":80", ":8484"])
async def test_the_names_of_this_machine_are_ours(stack: Stack, name: str, port: str) -> None:
    assert (await get(stack, {"host": name + port})).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://localhost:1",
        "http://127.0.0.1",
        "file://",
        "http://[",
        "http://localhost.evil.example",
        "garbage",
    ],
)
async def test_another_origin_is_refused_whatever_it_carries(stack: Stack, origin: str) -> None:
    carried: list[dict[str, str]] = [
        {},
        {"cookie": f"{COOKIE}={signed()}"},
        {"authorization": f"Bearer {signed()}"},
        {"sec-fetch-site": "same-origin"},
    ]
    for headers in carried:
        answer = await get(stack, {"origin": origin, **headers})
        assert (answer.status, answer.json["code"]) == (403, "forbidden"), headers
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
async def test_a_cross_site_request_is_refused_even_with_the_cookie(stack: Stack, site: str) -> None:
    for headers in ({}, {"cookie": f"{COOKIE}={signed()}"}):
        answer = await get(stack, {"sec-fetch-site": site, **headers})
        assert (answer.status, answer.json["code"]) == (403, "forbidden")
        assert "set-cookie" not in answer.headers


async def test_a_cross_site_post_stores_nothing(stack: Stack) -> None:
    body = b'{"content": "Hello"}'
    async with stack.client() as http:
        token = http.headers["authorization"].removeprefix("Bearer ")
        headers = {"host": own(stack), "content-length": str(len(body)), "cookie": f"{COOKIE}={token}"}
        for extra in (
            {"origin": "https://evil.example", "content-type": "application/json"},
            {"sec-fetch-site": "cross-site", "content-type": "text/plain"},
        ):
            sent = request("POST", "/v1/conversations/new/messages", {**headers, **extra}, body)
            assert (await ask(stack.url, sent)).status == 403
        assert (await http.get("/v1/runs")).json()["items"] == []


async def test_the_token_says_who_it_is_and_not_the_cookie(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        headers = {"cookie": f"{COOKIE}={signed()}", "authorization": http.headers["authorization"]}
        assert (await get(stack, headers, f"/v1/runs/{told.run_id}")).status == 200
        assert (await get(stack, {"cookie": headers["cookie"]}, f"/v1/runs/{told.run_id}")).status == 404


async def test_a_printed_token_is_another_user_than_the_local_one(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
    assert (await get(stack, {}, f"/v1/runs/{told.run_id}")).status == 404
    local = sign_token(AuthSettings(secret=SECRET), tenant="local", user="local")
    before = await get(stack, {"authorization": f"Bearer {local}"})
    assert before.json == (await get(stack, {})).json
