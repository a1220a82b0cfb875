"""Ids, limits, page marks and paths that are none: the answer is a problem document, whatever they are."""

import json

import pytest

from tests.fixtures.problems import assert_problem
from tests.fixtures.raw_http import ask, request
from tests.fixtures.stack import Stack

BAD_IDS = [
    *(
        "*",
        ">",
        "..",
        ".",
        "a.b",
        "a b",
        "ä",
        "日本",
        "-",
        "$JS",
        "%",
        "a" * 65,
        "x" * 5000,
        "\x00",
        "\n",
        "a\r\nb",
        "'--",
    ),
    *("chat_", "chat_*", "chat_>", "chat_a.b", "chat_..", "cmp_", "CHAT_x", "chat-x", "nope_x", "_x"),
    *("chat_" + "a" * 60, "cmp_" + "a" * 60, "arc_" + "a" * 60),
]
ROUTES_WITH_ID = [
    ("GET", "/v1/conversations/{}", "unknown_conversation"),
    ("PATCH", "/v1/conversations/{}", "unknown_conversation"),
    ("DELETE", "/v1/conversations/{}", "unknown_conversation"),
    ("GET", "/v1/conversations/{}/messages", "unknown_conversation"),
    ("POST", "/v1/conversations/{}/messages", "unknown_conversation"),
    ("GET", "/v1/runs/{}", "unknown_run"),
    ("GET", "/v1/runs/{}/events", "unknown_run"),
    ("POST", "/v1/runs/{}/cancel", "unknown_run"),
    ("GET", "/v1/comparisons/{}", "unknown_run"),
    ("DELETE", "/v1/comparisons/{}", "unknown_run"),
    ("POST", "/v1/comparisons/{}/lanes/lane_1/cancel", "unknown_run"),
]
BODIES = {"PATCH": {"title": "x"}, "POST": {"content": "x"}}


@pytest.mark.parametrize(("method", "path", "code"), ROUTES_WITH_ID, ids=lambda value: str(value))
async def test_an_id_that_is_none_is_an_unknown_one(stack: Stack, method: str, path: str, code: str) -> None:
    for bad in BAD_IDS:
        escaped = "".join(f"%{byte:02X}" for byte in bad.encode())
        body = b"" if path.endswith("cancel") else json.dumps(BODIES.get(method, {})).encode()
        headers = {"host": stack.url.removeprefix("http://"), "authorization": f"Bearer {stack.token('nobody')}"}
        if method in BODIES and body:
            headers |= {"content-type": "application/json", "content-length": str(len(body))}
        sent = request(method, path.format(escaped), headers, body if method in BODIES else b"")
        assert_problem(await ask(stack.url, sent), 404, code)


@pytest.mark.parametrize("raw", ["%", "%zz", "%ff", "%ed%a0%80", "%c0%ae", "a%2fb", "..", "%2e%2e", ";", "a;b"])
@pytest.mark.parametrize(("method", "path", "code"), ROUTES_WITH_ID, ids=lambda value: str(value))
async def test_a_path_that_is_odd_finds_nothing(stack: Stack, method: str, path: str, code: str, raw: str) -> None:
    headers = {"host": stack.url.removeprefix("http://"), "authorization": f"Bearer {stack.token('nobody')}"}
    answer = await ask(stack.url, request(method, path.format(raw), {**headers, "content-length": "0"}))
    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/runs", "/v1/comparisons", "/v1/conversations/{}/messages"])
@pytest.mark.parametrize("limit", ["0", "-1", "201", "9" * 30, "abc", "", "1.5", "0x10", "NaN"])
async def test_a_limit_that_is_none(stack: Stack, path: str, limit: str) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        answer = await http.get(path.format(conversation), params={"limit": limit})
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize("mark", ["\x00", "*", "a b", "ä", "x" * 65, "' OR 1=1", "..", ""])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/conversations", "before"),
        ("/v1/runs", "before"),
        ("/v1/comparisons", "before"),
        ("/v1/conversations/{}/messages", "after"),
    ],
)
async def test_a_page_mark_that_is_none_is_refused(stack: Stack, path: str, name: str, mark: str) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        answer = await http.get(path.format(conversation), params={name: mark})
    assert_problem(answer, 400, "invalid_cursor")


@pytest.mark.parametrize("mark", ["-1", "1.5", "abc", "9" * 30, "٣"])
async def test_a_page_mark_of_messages_is_a_position(stack: Stack, mark: str) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        answer = await http.get(f"/v1/conversations/{conversation}/messages", params={"after": mark})
    assert_problem(answer, 400, "invalid_cursor")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("PUT", "/v1/conversations", 405, "method_not_allowed"),
        ("DELETE", "/v1/runs", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/runs", 405, "method_not_allowed"),
    ],
)
async def test_a_route_that_is_none(stack: Stack, method: str, path: str, status: int, code: str) -> None:
    async with stack.client() as http:
        assert_problem(await http.request(method, path), status, code)
