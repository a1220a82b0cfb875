"""Every adapter, pointed at the mock, and what is known to differ between their wires."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from services.inference.catalogue import ProviderConfig
from services.inference.providers.base import Provider
from services.inference.registry import BUILDERS
from tests.integration.providers.mock import KEY

AWS = {"AWS_ACCESS_KEY_ID": "AKIAMOCK", "AWS_SECRET_ACCESS_KEY": KEY, "AWS_EC2_METADATA_DISABLED": "true"}
"""Credentials of nobody, where botocore looks first."""


@dataclass(frozen=True)
class Adapter:
    """One adapter, a model whose name its wire knows, and how the catalogue would describe the provider."""

    name: str
    model: str
    fields: Callable[[str], dict[str, Any]]

    def build(self, url: str) -> Provider:
        """The provider, as the registry makes it."""
        key = None if self.name == "bedrock" else SecretStr(KEY)
        config = ProviderConfig.model_validate({"name": self.name, "api_key": key, **self.fields(url)})
        return BUILDERS[config.kind](config)

    def __str__(self) -> str:
        return self.name


ADAPTERS = [
    Adapter(
        "openai",
        "gpt-5.6-terra",
        lambda url: {"kind": "openai", "base_url": f"{url}/v1"},
    ),
    Adapter("responses", "gpt-5.6-terra", lambda url: {"kind": "responses", "base_url": f"{url}/v1"}),
    Adapter(
        "azure",
        "gpt-5.6-terra",
        lambda url: {"kind": "azure", "base_url": url, "api_version": "2024-10-21"},
    ),
    Adapter("anthropic", "claude-sonnet-5-5", lambda url: {"kind": "anthropic", "base_url": url}),
    Adapter("gemini", "gemini-3.8-flash", lambda url: {"kind": "gemini", "base_url": url}),
    Adapter(
        "bedrock",
        "us.amazon.nova-2-lite-v1:0",
        lambda url: {"kind": "bedrock", "base_url": url, "region": "us-east-1"},
    ),
]
