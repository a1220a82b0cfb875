"""A local Ollama is found by itself: its models are offered as `ollama/<name>` while it runs."""

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec
from pydantic import TypeAdapter, ValidationError

from contracts.costs import Prices
from services.inference.cards import ModelCard, ModelId
from services.inference.catalogue import Catalogue, ProviderConfig

if TYPE_CHECKING:
    from services.inference.ollama_abilities import OllamaAbilities

logger = logging.getLogger(__name__)

PROVIDER = "ollama"
FIRST_TIMEOUT_SECONDS = 0.3  # nobody waits longer for something that is usually absent
TIMEOUT_SECONDS = 2.0  # later looks are in the background, and a busy Ollama is slow
INTERVAL_SECONDS = 60.0
MISSES = 2  # failed looks in a row after which its models are no longer offered
MAX_BODY_BYTES = 1024 * 1024
MAX_MODELS = 200

EMBEDDING_FAMILIES = frozenset({"bert", "nomic-bert", "nomic-bert-moe"})

_model_id = TypeAdapter(ModelId)
_FREE = Prices.model_validate({"input": 0, "output": 0})


class _Details(msgspec.Struct):
    family: str | None = None
    parameter_size: str | None = None


class _Tag(msgspec.Struct):
    name: str
    digest: str = ""
    details: _Details | None = None


class _Tags(msgspec.Struct):
    models: list[_Tag] | None = None


class OllamaDiscovery:
    """Keeps the catalogue's `ollama/…` models as they are on this machine. An empty url looks nowhere."""

    def __init__(self, catalogue: Catalogue, url: str, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._catalogue = catalogue
        self._url = url.rstrip("/")
        self._interval_seconds = interval_seconds
        self._misses = 0
        self._offered: tuple[str, ...] = ()
        self._abilities: OllamaAbilities | None = None

    async def run(self) -> None:
        """Look now and then every minute, until cancelled. Never raises."""
        if not self._url:
            return
        timeout = FIRST_TIMEOUT_SECONDS
        while True:
            await self.refresh(timeout)
            timeout = TIMEOUT_SECONDS
            await asyncio.sleep(self._interval_seconds)

    async def refresh(self, timeout_seconds: float = FIRST_TIMEOUT_SECONDS) -> None:
        """Look once, for at most so long."""
        if not self._url:
            return
        tags = await self._tags(timeout_seconds)
        if tags is not None:
            self._misses = 0
        else:
            self._misses += 1
            if not self._offered or self._misses < MISSES:
                return
        chats = [tag for tag in (tags or [])[:MAX_MODELS] if _can_chat(tag)]
        able = await self._able(chats, timeout_seconds)
        cards = [card for tag in chats if (card := _card(tag, able)) is not None]
        ids = tuple(card.id for card in cards)
        if ids != self._offered:
            logger.info("Ollama offers %d models", len(ids))
        self._offered = ids
        provider = ProviderConfig(name=PROVIDER, kind="openai", base_url=f"{self._url}/v1")
        self._catalogue.offer_found(provider, cards)

    async def _able(self, tags: list[_Tag], timeout_seconds: float) -> "OllamaAbilities":
        """What these models can do, as far as it can be learnt in so long."""
        from services.inference.ollama_abilities import OllamaAbilities  # imports aiohttp; see `_tags`

        self._abilities = self._abilities or OllamaAbilities()
        if tags:
            await self._abilities.look(self._url, [(tag.name, tag.digest) for tag in tags], timeout_seconds)
        return self._abilities

    async def _tags(self, timeout_seconds: float) -> list[_Tag] | None:
        """What the server lists; None if there is none, or none that is an Ollama."""
        import aiohttp  # here, so that a worker without Ollama and OpenAI starts without it

        try:
            async with (
                asyncio.timeout(timeout_seconds),
                aiohttp.ClientSession() as session,
                session.get(f"{self._url}/api/tags", allow_redirects=False) as response,
            ):
                body = bytearray()
                while data := await response.content.readany():
                    body += data
                    if len(body) > MAX_BODY_BYTES:
                        break
                if response.status != 200:
                    return None
                return msgspec.json.decode(body, type=_Tags).models or []
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            logger.debug("no Ollama: %s", type(error).__name__)
            return None


def _can_chat(tag: _Tag) -> bool:
    return not (tag.details and tag.details.family in EMBEDDING_FAMILIES) and "embed" not in tag.name


def _card(tag: _Tag, able: "OllamaAbilities") -> ModelCard | None:
    """The card of a model whose name fits into an id."""
    details = tag.details or _Details()
    try:
        model_id = _model_id.validate_python(f"{PROVIDER}/{tag.name}")
    except ValidationError:
        logger.debug("a model of Ollama has a name that fits no id")
        return None
    size = f" ({details.parameter_size})" if details.parameter_size else ""
    return ModelCard(
        id=model_id,
        name=f"{tag.name.removesuffix(':latest')}{size}"[:100],
        description="Runs on this machine with Ollama.",
        provider=PROVIDER,
        model=tag.name,
        prices=_FREE,
        capabilities=able.of((tag.name, tag.digest)),
        continuation="continue",
    )
