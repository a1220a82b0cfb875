import asyncio
import json
from typing import Any

import pytest

from services.inference.catalogue import Catalogue, load_catalogue
from services.inference.discovery import OllamaDiscovery
from tests.integration.providers.calls import until
from tests.integration.providers.raw_server import Exchange, raw_server

TAGS: dict[str, Any] = {
    "models": [
        {"name": "llama3.2:latest", "details": {"family": "llama", "parameter_size": "3.2B"}},
        {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
        {"name": "hf.co/some/model:Q4_K_M", "details": None},
        {"name": "no blanks allowed"},
    ]
}


def ids(catalogue: Catalogue) -> list[str]:
    return [card.id for card in catalogue.models()]


async def test_chat_models_are_offered_while_they_are_there_and_gone_after_two_misses() -> None:
    answer = json.dumps(TAGS).encode()

    async def handle(exchange: Exchange) -> None:
        told = answer if exchange.path == "/api/tags" else b""
        await exchange.answer("200 OK" if told else "500 Oops", told)

    catalogue = Catalogue()
    async with raw_server(handle) as server:
        discovery = OllamaDiscovery(catalogue, server.base_url.removesuffix("/v1") + "/")
        await discovery.refresh(5.0)
        assert ids(catalogue) == ["ollama/llama3.2:latest", "ollama/hf.co/some/model:Q4_K_M"]
        card = catalogue.get("ollama/llama3.2:latest")
        assert card is not None
        assert (card.model, card.name) == ("llama3.2:latest", "llama3.2 (3.2B)")
        provider = catalogue.provider("ollama")
        assert provider is not None
        assert provider.base_url == server.base_url
        answer = b""
        await discovery.refresh(5.0)
        assert len(ids(catalogue)) == 2, "one failed look may be a busy server"
        await discovery.refresh(5.0)
        assert ids(catalogue) == []
        answer = json.dumps(TAGS).encode()
        await discovery.refresh(5.0)
        assert len(ids(catalogue)) == 2


async def test_what_a_model_can_do_is_asked_once_for_each_version() -> None:
    able = {"llama3.2:latest": ["completion", "tools", "vision", "thinking", "insert"]}
    digest = "a"

    async def handle(exchange: Exchange) -> None:
        if exchange.path == "/api/tags":
            tags = [{"name": "llama3.2:latest", "digest": digest}, {"name": "old:latest"}, {"name": "odd:latest"}]
            await exchange.answer("200 OK", json.dumps({"models": tags}).encode())
        elif exchange.body["model"] == "odd:latest":
            await exchange.answer("200 OK", b"<html>")
        else:
            told = {"license": "x" * 200_000, "capabilities": able.get(exchange.body["model"])}
            await exchange.answer("200 OK", json.dumps(told).encode())

    catalogue = Catalogue()
    async with raw_server(handle) as server:
        discovery = OllamaDiscovery(catalogue, server.base_url.removesuffix("/v1"))
        for _ in range(2):
            await discovery.refresh(5.0)
        capabilities = [card.capabilities for card in catalogue.models()]
        assert capabilities == [("text", "vision", "tools", "reasoning"), ("text",), ("text",)]
        shown = [exchange.body["model"] for exchange in server.exchanges if exchange.path == "/api/show"]
        assert sorted(shown) == ["llama3.2:latest", "odd:latest", "odd:latest", "old:latest"]
        digest, able = "b", {}
        await discovery.refresh(5.0)
        assert catalogue.models()[0].capabilities == ("text",)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"models": 3}', b'{"models": null}', b"\xff" * 2_000_000])
async def test_what_is_no_ollama_offers_nothing(body: bytes) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer("200 OK", body)

    catalogue = Catalogue()
    async with raw_server(handle) as server:
        await OllamaDiscovery(catalogue, server.base_url.removesuffix("/v1")).refresh(5.0)
    assert ids(catalogue) == []


async def test_absence_is_silent(caplog: pytest.LogCaptureFixture, unused_tcp_port: int) -> None:
    catalogue = load_catalogue(environment={})
    before = ids(catalogue)
    with caplog.at_level("INFO"):
        await OllamaDiscovery(catalogue, f"http://127.0.0.1:{unused_tcp_port}").refresh()
        await OllamaDiscovery(catalogue, "not a url").refresh()
        await OllamaDiscovery(catalogue, "").run()
    assert ids(catalogue) == before
    assert not caplog.records


async def test_a_server_that_hangs_costs_no_more_than_the_deadline() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.gone()

    async with raw_server(handle) as server:
        async with asyncio.timeout(10):
            await OllamaDiscovery(Catalogue(), server.base_url.removesuffix("/v1")).refresh()


async def test_it_keeps_looking() -> None:
    looks = 0

    async def handle(exchange: Exchange) -> None:
        nonlocal looks
        looks += 1
        await exchange.answer("200 OK", json.dumps(TAGS).encode())

    async with raw_server(handle) as server:
        discovery = OllamaDiscovery(Catalogue(), server.base_url.removesuffix("/v1"), interval_seconds=0.01)
        task = asyncio.create_task(discovery.run())
        await until(lambda: looks >= 3)
        task.cancel()
