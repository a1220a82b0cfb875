"""The catalogue: which providers and models there are, read from YAML and checked before anything is offered."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from services.inference.cards import ModelCard
from services.inference.yaml_file import CatalogueError, read_yaml

__all__ = ["Catalogue", "CatalogueError", "ModelCard", "ProviderConfig", "load_catalogue"]

logger = logging.getLogger(__name__)

BUILT_IN = Path(__file__).with_name("models.yaml")

M = TypeVar("M", bound=BaseModel)

NEEDS_ADDRESS = frozenset({"openai", "responses", "azure"})
"""Kinds that are spoken by many servers; the others have an address of their own."""


class ProviderConfig(BaseModel):
    """How to reach one provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    kind: Literal["scripted", "openai", "responses", "azure", "anthropic", "gemini", "bedrock"]
    base_url: str | None = Field(
        None, description="openai, responses: up to and without /chat/completions or /responses; azure: the resource"
    )
    base_url_env: str | None = Field(None, description="environment variable that replaces base_url when it is set")
    api_key_env: str | None = Field(None, description="environment variable with the key; absent: no key is needed")
    region: str | None = Field(None, pattern=r"^[a-z0-9-]{1,32}$", description="bedrock: AWS's name of it")
    region_env: tuple[str, ...] = Field((), description="environment variables that replace region; the first one set")
    api_version: str | None = Field(None, pattern=r"^[\w-]{1,32}$", description="azure: for the older addresses")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    speed: float = Field(1.0, ge=0, description="scripted: how many times faster than described; 0: without pauses")

    api_key: SecretStr | None = Field(None, exclude=True, description="read from api_key_env, never from the file")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _has_address(self) -> "ProviderConfig":
        if self.kind in NEEDS_ADDRESS and not (self.base_url or self.base_url_env):
            raise ValueError("base_url is missing")
        if self.kind == "bedrock" and not (self.region or self.region_env):
            raise ValueError("region is missing")
        return self

    @property
    def lacks(self) -> str | None:
        """The environment variable without which it cannot be called."""
        if self.api_key_env is not None and self.api_key is None:
            return self.api_key_env
        if self.kind in NEEDS_ADDRESS and self.base_url is None:
            return self.base_url_env
        return self.region_env[0] if self.kind == "bedrock" and self.region is None else None


class Catalogue:
    """The providers and models that are offered now: those of the file first, then those found at run time."""

    def __init__(self, providers: Sequence[ProviderConfig] = (), cards: Sequence[ModelCard] = ()) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._cards = {card.id: card for card in cards}
        self._found: dict[str, dict[str, ModelCard]] = {}  # by provider

    def models(self) -> list[ModelCard]:
        """All cards in the order of the file; the first is the default model."""
        found = (card for cards in self._found.values() for card in cards.values() if card.id not in self._cards)
        return [*self._cards.values(), *found]

    def get(self, model_id: str) -> ModelCard | None:
        """The card of a model; None if it is not offered."""
        if card := self._cards.get(model_id):
            return card
        return next((cards[model_id] for cards in self._found.values() if model_id in cards), None)

    def providers(self) -> list[ProviderConfig]:
        """The providers that can be called."""
        return list(self._providers.values())

    def provider(self, name: str) -> ProviderConfig | None:
        """How to reach a provider; None if there is none of that name."""
        return self._providers.get(name)

    def offer_found(self, provider: ProviderConfig, cards: Sequence[ModelCard]) -> None:
        """Replace what was found of one provider at run time. A provider or model of the file wins over a found one."""
        # The provider stays when its last model is gone: a generation may still be running there.
        self._providers.setdefault(provider.name, provider)
        self._found[provider.name] = {card.id: card for card in cards}


def load_catalogue(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Catalogue:
    """Read a catalogue (none: the built-in one) and keep what can be used with this environment.

    Raises CatalogueError, which names the file, the entry and the field of every mistake.
    """
    path = file or BUILT_IN
    environment = os.environ if environment is None else environment
    raw_providers, raw_models = read_yaml(path)
    problems: list[str] = []
    providers: dict[str, ProviderConfig] = {}
    known: set[str] = set()
    for name, fields in raw_providers.items():
        known.add(str(name))
        provider = _check(ProviderConfig, {**_with_environment(fields, environment), "name": name}, problems)
        if provider is not None and _is_usable(provider, problems):
            providers[provider.name] = provider
    cards: dict[str, ModelCard] = {}
    for fields in raw_models:
        card = _check(ModelCard, fields, problems)
        if card is None:
            continue
        if card.provider not in known:
            problems.append(f"model {card.id}: provider: there is no provider {card.provider!r} in this file")
        if card.id in cards:
            problems.append(f"model {card.id}: id: there is another model with this id")
        cards[card.id] = card
    if problems:
        raise CatalogueError(path, problems)
    return Catalogue(list(providers.values()), [card for card in cards.values() if card.provider in providers])


def _with_environment(fields: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a provider with its address and key as the environment has them."""
    filled = {key: value for key, value in fields.items() if key != "api_key"}
    if "api_key" in fields:
        filled["api_key_in_file"] = ""  # refused by name: a key must not be in a file that gets committed
    if address := environment.get(str(fields.get("base_url_env")), "").strip():
        filled["base_url"] = address
    variables = fields.get("region_env")
    for variable in variables if isinstance(variables, list) else ():
        if region := environment.get(str(variable), "").strip():
            filled["region"] = region
            break
    if key := environment.get(str(fields.get("api_key_env")), "").strip():  # mounted secrets end with a newline
        filled["api_key"] = key
    return filled


def _is_usable(provider: ProviderConfig, problems: list[str]) -> bool:
    if provider.lacks is not None:
        logger.info("models of provider %s are not offered: %s is not set", provider.name, provider.lacks)
        return False
    key = provider.api_key.get_secret_value() if provider.api_key else ""
    if not (key.isascii() and key.isprintable()):
        problems.append(f"provider {provider.name}: {provider.api_key_env} has characters that no key has")
        return False
    return True


def _check(kind: type[M], fields: dict[str, Any], problems: list[str]) -> M | None:
    label = f"{'model' if kind is ModelCard else 'provider'} {fields.get('id') or fields.get('name') or 'without id'}"
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False):
            field = ".".join(map(str, mistake["loc"])) or "entry"
            problems.append(f"{label}: {field}: {mistake['msg']}")
        return None
