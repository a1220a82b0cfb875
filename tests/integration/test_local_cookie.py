"""The cookie of local mode: who gets it, what it opens, and what becomes of one that is no good."""

import time

import pytest

from tests.fixtures.stack import Stack
from tests.fixtures.strangers import COOKIE, get, signed


async def test_a_navigation_gets_a_cookie_and_the_cookie_signs_in(stack: Stack) -> None:
    first = await get(stack, {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, "/docs")
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    pair = cookie.partition(";")[0]
    page = {"cookie": pair, "origin": stack.url, "sec-fetch-site": "same-origin"}
    answer = await get(stack, page)
    assert answer.status == 200
    assert "set-cookie" not in answer.headers, "it has one"


async def test_a_program_gets_no_cookie(stack: Stack) -> None:
    answer = await get(stack, {})
    assert answer.status == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "cookie",
    [
        f"{COOKIE}=garbage",
        f"{COOKIE}={signed('another secret that is long enough to be one')}",
        f"{COOKIE}={signed(exp=int(time.time()) - 3600)}",
        f"{COOKIE}=",
        "=",
        "a=b; c",
        f'{COOKIE}="\\777',
    ],
    ids=["garbage", "of an earlier secret", "expired", "empty", "nameless", "odd", "quoted"],
)
async def test_a_cookie_that_is_no_good_is_replaced(stack: Stack, cookie: str) -> None:
    """Else a browser that kept an old one would be locked out until somebody deletes it by hand."""
    page = await get(stack, {"cookie": cookie, "sec-fetch-site": "none"}, "/docs")
    assert page.headers.get("set-cookie", "").startswith(f"{COOKIE}=ey")
    own_page = await get(stack, {"cookie": cookie, "sec-fetch-site": "same-origin", "origin": stack.url})
    assert own_page.status == 200
    foreign = await get(stack, {"cookie": cookie, "sec-fetch-site": "cross-site"})
    assert foreign.status == 403


async def test_a_cookie_of_a_browser_that_tells_no_site_must_be_good(stack: Stack) -> None:
    """Browsers without Sec-Fetch-Site send an Origin with what a script asks for; then only the cookie signs in."""
    assert (await get(stack, {"origin": stack.url})).status == 401
    assert (await get(stack, {"origin": stack.url, "cookie": f"{COOKIE}=garbage"})).status == 401
    assert (await get(stack, {"origin": stack.url, "cookie": f"{COOKIE}={signed()}"})).status == 200
