"""The link in every mail: a page for people, one click for mail programs, from anywhere and signed in as nobody."""

from collections.abc import AsyncIterator

import httpx
import pytest

from contracts.message import Problem
from contracts.notifier_values import Unsubscribed
from tests.fixtures.own_edge import OwnEdge, own_edge
from tests.fixtures.problems import assert_problem

PAGE = "/unsubscribe/q6n1v0_-Token"
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
FROM_ELSEWHERE = [
    {},
    {"origin": "https://mail.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    {"origin": "null", "sec-fetch-site": "same-origin", "cookie": "studio_session=garbage"},
    {"authorization": "Bearer garbage"},
]
"""The last but one is our own page: under `Referrer-Policy: no-referrer` a browser says that it comes from nowhere."""


@pytest.fixture(scope="module")
async def local(shared_edge: OwnEdge) -> AsyncIterator[OwnEdge]:
    """An edge in local mode, which answers no other web page."""
    url = shared_edge.gateway.settings.nats.url[0]
    async with own_edge(url, mode="local", allowed_hosts=("edge",)) as running:
        del running.http.headers["authorization"]
        yield running


@pytest.fixture(params=["local", "token"])
async def http(request: pytest.FixtureRequest, edge: OwnEdge, local: OwnEdge) -> AsyncIterator[httpx.AsyncClient]:
    """A client of either that is signed in as nobody."""
    client = (local if request.param == "local" else edge).http
    kept = client.headers.pop("authorization", None)
    yield client
    if kept is not None:
        client.headers["authorization"] = kept


def assert_page(response: httpx.Response, status: int, *words: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-robots-tag"] == "noindex"
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "set-cookie" not in response.headers
    for absent in ("<script", "http://", "https://", "src=", "href="):
        assert absent not in response.text
    for word in words:
        assert word in response.text


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_looking_shows_a_button_and_changes_nothing(
    http: httpx.AsyncClient, edge: OwnEdge, headers: dict[str, str]
) -> None:
    assert_page(await http.get(PAGE, headers=headers), 200, '<form method="post">', "<button")
    assert edge.asked == []


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_one_click_is_enough_from_wherever_it_comes(
    http: httpx.AsyncClient, edge: OwnEdge, headers: dict[str, str]
) -> None:
    edge.answers["notifier.unsubscribe"] = lambda _: Unsubscribed(address="a…@example.com")
    response = await http.post(PAGE, content=ONE_CLICK, headers={"content-type": FORM, **headers})
    assert_page(response, 200, "a…@example.com")
    assert "<form" not in response.text
    assert edge.asked == [("notifier.unsubscribe", {"token": "q6n1v0_-Token"})]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, ONE_CLICK),
        (f"{FORM}; charset=utf-8", ONE_CLICK),
        ("multipart/form-data; boundary=x", BOUNDARY),
        ("text/plain", "x"),
        ("application/json", "{"),
        (None, ""),
        (None, "x"),
    ],
)
async def test_whatever_a_mail_provider_sends_as_the_body_is_taken(edge: OwnEdge, kind: str | None, body: str) -> None:
    edge.answers["notifier.unsubscribe"] = lambda _: Unsubscribed(address="a…@example.com")
    headers = {} if kind is None else {"content-type": kind}
    assert_page(await edge.http.post(PAGE, content=body, headers=headers), 200)
    assert len(edge.asked) == 1


async def test_a_body_without_end_is_refused(edge: OwnEdge) -> None:
    limit = edge.gateway.settings.edge.max_body_bytes
    headers = {"content-type": FORM, "content-length": str(limit + 1)}
    assert_problem(await edge.http.post(PAGE, content=b"", headers=headers), 413, "body_too_large")


async def test_what_is_told_is_shown_as_words(edge: OwnEdge) -> None:
    edge.answers["notifier.unsubscribe"] = lambda _: Unsubscribed(address='<b onload="x">&@example.com')
    response = await edge.http.post(PAGE)
    assert_page(response, 200, "&lt;b onload=&quot;x&quot;&gt;&amp;@example.com")
    assert "<b" not in response.text.replace("<body", "")


async def test_an_unknown_token_is_a_page_too(edge: OwnEdge) -> None:
    edge.answers["notifier.unsubscribe"] = lambda _: Problem(code="unknown_token", message="no")
    assert_page(await edge.http.post(PAGE), 404, "not known")
    edge.asked.clear()
    for wrong in ("a.b", "*", "%3E", "x" * 65, "%3Cscript%3E", "%00", "%0d%0aset-cookie:%20a=b"):
        for method in ("GET", "POST"):
            response = await edge.http.request(method, f"/unsubscribe/{wrong}")
            assert_page(response, 404, "not known")
            assert "script" not in response.text
    assert edge.asked == []


async def test_while_notifier_is_away_the_page_says_so_and_can_be_tried_again(edge: OwnEdge) -> None:
    response = await edge.http.post(PAGE)
    assert_page(response, 503, "not work", "<button")
    assert response.headers["retry-after"]
    edge.answers["notifier.unsubscribe"] = lambda _: Problem(code="internal", message="oh")
    response = await edge.http.post(PAGE)
    assert_page(response, 503, "not work")
    assert "oh" not in response.text


@pytest.mark.parametrize(
    "path", ["/unsubscribe", "/unsubscribe/", "/unsubscribe/a/b", "/unsubscribe/a/", "/x/unsubscribe/a", "/v1/runs"]
)
async def test_nothing_else_is_open_to_other_pages(local: OwnEdge, path: str) -> None:
    for headers in ({"origin": "https://mail.example"}, {"sec-fetch-site": "cross-site"}):
        for method in ("GET", "POST"):
            response = await local.http.request(method, path, headers=headers)
            assert_problem(response, 403, "forbidden")


async def test_local_mode_answers_for_its_own_names_only(local: OwnEdge) -> None:
    """Not even here: a page that has rebound its name could look for tokens."""
    for method in ("GET", "POST"):
        response = await local.http.request(method, PAGE, headers={"host": "evil.example"})
        assert_problem(response, 403, "forbidden")


async def test_other_bodies_are_still_taken_as_json_only(edge: OwnEdge) -> None:
    for path in ("/v1/notifications/webhooks", "/unsubscribe/a/b", "/v1/conversations"):
        response = await edge.http.post(path, content=ONE_CLICK, headers={"content-type": FORM})
        assert_problem(response, 415, "unsupported_media_type")
