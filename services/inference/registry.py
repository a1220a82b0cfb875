"""The providers of one worker: each is imported and built when it is first called."""

import asyncio
import contextlib
from collections.abc import Callable

from contracts.generation import ProviderState
from kit.settings import InferenceSettings
from services.inference.breaker import Breaker
from services.inference.catalogue import Catalogue, ProviderConfig
from services.inference.providers.base import Provider, ProviderError


def _scripted(config: ProviderConfig) -> Provider:
    from services.inference.providers.scripted import ScriptedProvider

    return ScriptedProvider(speed=config.speed)


def _openai(config: ProviderConfig) -> Provider:
    from services.inference.providers.openai import OpenAIProvider  # costs aiohttp's import: only when needed

    return OpenAIProvider(config.base_url or "", config.api_key, max_tokens_field=config.max_tokens_field)


def _responses(config: ProviderConfig) -> Provider:
    from services.inference.providers.responses import ResponsesProvider

    return ResponsesProvider(config.base_url or "", config.api_key)


def _azure(config: ProviderConfig) -> Provider:
    from services.inference.providers.azure import AzureProvider

    return AzureProvider(config.base_url or "", config.api_key, api_version=config.api_version)


def _anthropic(config: ProviderConfig) -> Provider:
    from services.inference.providers.anthropic import AnthropicProvider  # its SDK is imported with the first call

    return AnthropicProvider(config.base_url, config.api_key)


def _gemini(config: ProviderConfig) -> Provider:
    from services.inference.providers.gemini import GeminiProvider

    return GeminiProvider(config.base_url, config.api_key)


def _bedrock(config: ProviderConfig) -> Provider:
    from services.inference.providers.bedrock import BedrockProvider

    return BedrockProvider(config.region or "", config.base_url)


BUILDERS: dict[str, Callable[[ProviderConfig], Provider]] = {
    "scripted": _scripted,
    "openai": _openai,
    "responses": _responses,
    "azure": _azure,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "bedrock": _bedrock,
}
"""By `kind:` of the catalogue."""


class Providers:
    """Connections to the providers of a catalogue, shared by all generations of this process."""

    def __init__(self, catalogue: Catalogue, settings: InferenceSettings) -> None:
        self._catalogue, self._settings = catalogue, settings
        self._breakers: dict[str, Breaker] = {}
        self._built: dict[str, Provider] = {}
        self._stops: set[asyncio.Task[None]] = set()

    def get(self, name: str) -> Provider:
        """The provider of that name. Raises ProviderError if the catalogue has none."""
        if provider := self._built.get(name):
            return provider
        config = self._catalogue.provider(name)
        if config is None:
            raise ProviderError("provider_rejected", f"There is no model provider {name!r} any more.", retryable=False)
        return self._built.setdefault(name, BUILDERS[config.kind](config))

    def breaker(self, name: str) -> Breaker:
        """The circuit breaker of a provider."""
        if found := self._breakers.get(name):
            return found
        settings = self._settings
        return self._breakers.setdefault(name, Breaker(settings.breaker_failures, settings.breaker_seconds))

    def states(self) -> tuple[ProviderState, ...]:
        """How each provider of the catalogue is, as this worker has it."""
        names = sorted({card.provider for card in self._catalogue.models()})
        return tuple(ProviderState(name=name, circuit=self.breaker(name).circuit) for name in names)

    async def warm(self) -> None:
        """Build every provider whose models are offered and open a connection to it. Takes a few seconds at most.

        So the first user pays neither for imports nor for DNS and TLS.
        """
        names = {card.provider for card in self._catalogue.models()}
        async with asyncio.TaskGroup() as group:
            for name in sorted(names):
                provider = self.get(name)
                if warm := getattr(provider, "warm", None):
                    group.create_task(warm())

    def stop(self, name: str, reference: str) -> None:
        """Have a provider stop an answer that it keeps. Nobody waits for that but `close`."""
        stop = getattr(self.get(name), "stop", None)
        if stop is not None:
            task = asyncio.create_task(stop(reference), name=f"stop {reference}")
            self._stops.add(task)
            task.add_done_callback(self._stops.discard)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*self._stops, return_exceptions=True)
        built, self._built = list(self._built.values()), {}
        for provider in built:
            with contextlib.suppress(ProviderError):
                await provider.close()
