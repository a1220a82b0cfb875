"""Files over HTTP: as a form, as a body, too long, and none at all."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.architect_values import GivenFile
from contracts.chat_values import Deleted
from contracts.message import Problem
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATA = bytes(range(256)) * 64
MAX_BYTES = 20 * 1024 * 1024


def kept(body: dict[str, Any]) -> GivenFile:
    size = len(base64.b64decode(body["data"]))
    return GivenFile(
        id=body["file_id"], name=body["name"], media_type=body["media_type"], bytes=size, characters=1, created_at=NOW
    )


async def test_a_form_with_a_file(edge: OwnEdge) -> None:
    edge.answers["architect.give_file"] = kept
    form = {"file": ("Grüße.pdf", DATA, "application/pdf; x=y")}
    response = await edge.http.post("/v1/files", files=form, data={"more": "is left alone"})
    assert response.status_code == 201, response.text
    told = response.json()
    assert (told["name"], told["media_type"], told["bytes"]) == ("Grüße.pdf", "application/pdf", len(DATA))
    assert response.headers["location"] == f"/v1/files/{told['id']}"
    assert base64.b64decode(edge.asked[-1][1]["data"]) == DATA


async def test_a_body_that_is_the_file(edge: OwnEdge) -> None:
    edge.answers["architect.give_file"] = kept
    for headers, media_type in (({}, ""), ({"content-type": "text/plain; charset=utf-8"}, "text/plain")):
        response = await edge.http.post("/v1/files?name=a.txt", content=DATA, headers=headers)
        assert response.status_code == 201, response.text
        assert (response.json()["name"], response.json()["media_type"]) == ("a.txt", media_type)
        assert base64.b64decode(edge.asked[-1][1]["data"]) == DATA
    assert_problem(await edge.http.post("/v1/files", content=DATA), 422, "invalid_file")


async def test_a_long_file_goes_by_reference_and_arrives_whole(edge: OwnEdge) -> None:
    """It is longer than a message of the bus may be."""
    edge.answers["architect.give_file"] = kept
    long = DATA * 100
    response = await edge.http.post("/v1/files", files={"file": ("long.bin", long)})
    assert (response.status_code, response.json()["bytes"]) == (201, len(long))


async def test_the_same_key_gives_the_same_file(edge: OwnEdge) -> None:
    edge.answers["architect.give_file"] = kept
    ids = []
    for key in ("a", "a", "b", ""):
        headers = {"idempotency-key": key} if key else {}
        ids.append((await edge.http.post("/v1/files?name=a", content=b"x", headers=headers)).json()["id"])
    assert [ids.index(each) for each in ids] == [0, 0, 2, 3]


async def test_a_file_that_is_longer_than_it_may_be_is_not_read_to_its_end(edge: OwnEdge) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 4 * MAX_BYTES:
            sent += len(DATA)
            yield DATA

    response = await edge.http.post("/v1/files?name=a", content=endless())
    assert_problem(response, 413, "body_too_large")
    assert sent <= 4 * MAX_BYTES
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'

    async def form() -> AsyncIterator[bytes]:
        yield head
        for _ in range(MAX_BYTES // len(DATA) + 1):
            yield DATA

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert_problem(await edge.http.post("/v1/files", content=form(), headers=headers), 413, "body_too_large")
    assert edge.asked == []


def part(disposition: str, data: bytes = b"x") -> bytes:
    return b"--b\r\ncontent-disposition: %b\r\n\r\n%b\r\n--b--\r\n" % (disposition.encode(), data)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"--b\r\n",
        part("form-data"),
        part('form-data; name="other"; filename="a"'),
        part('form-data; name="file"', b"a text, and no file"),
        part('form-data; name="file"; filename="a"', b""),
        part('form-data; name="file"; filename="' + "x" * 256 + '"'),
        part('form-data; name="file"; filename="a"')[:-6],
    ],
)
async def test_a_form_without_a_file_is_refused(edge: OwnEdge, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert_problem(await edge.http.post("/v1/files", content=body, headers=headers), 422, "invalid_file")
    assert edge.asked == []


async def test_a_form_without_a_boundary_is_refused(edge: OwnEdge) -> None:
    headers = {"content-type": "multipart/form-data"}
    body = part('form-data; name="file"; filename="a"')
    assert_problem(await edge.http.post("/v1/files", content=body, headers=headers), 422, "invalid_file")
    two = {"one": ("a", b"x"), "two": ("b", b"x")}
    assert_problem(await edge.http.post("/v1/files", files=two), 422, "invalid_file")


async def test_elsewhere_a_body_is_json(edge: OwnEdge) -> None:
    for path in ("/v1/assistants", "/v1/files/", "/v1/comparisons"):
        response = await edge.http.post(path, content=b"x", headers={"content-type": "text/plain"})
        assert_problem(response, 415, "unsupported_media_type")


async def test_look_and_delete(edge: OwnEdge) -> None:
    found = GivenFile(id="file_1", name="a", media_type="", bytes=1, characters=2, text="Hi", created_at=NOW)
    edge.answers["architect.get_file"] = lambda _: found
    assert (await edge.http.get("/v1/files/file_1")).json()["text"] == "Hi"
    edge.answers["architect.delete_file"] = lambda _: Deleted()
    assert (await edge.http.delete("/v1/files/file_1")).status_code == 204
    for method in ("GET", "DELETE"):
        for bad in ("*", "a.b", "x" * 65):
            assert_problem(await edge.http.request(method, f"/v1/files/{bad}"), 404, "unknown_file")


@pytest.mark.parametrize(
    ("code", "status"), [("file_too_large", 413), ("file_unreadable", 422), ("too_many_files", 422)]
)
async def test_what_architect_refuses_is_a_problem(edge: OwnEdge, code: str, status: int) -> None:
    edge.answers["architect.give_file"] = lambda _: Problem(code=code, message="no")
    assert_problem(await edge.http.post("/v1/files?name=a", content=b"x"), status, code)
