"""Azure OpenAI: OpenAI's chat completions at another address, with the key in another header (docs/adr/0012).

A model is a deployment, whose name is the customer's. With `api_version` the address is the older one, which names the
deployment; without it the newer one, which is OpenAI's
(learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
"""

from urllib.parse import quote

from pydantic import SecretStr

from services.inference.providers.openai import OpenAIProvider


class AzureProvider(OpenAIProvider):
    """A connection pool to one resource; `endpoint` is its root, as the portal shows it."""

    def __init__(
        self,
        endpoint: str,
        api_key: SecretStr | None = None,
        *,
        api_version: str | None = None,
        max_tokens_field: str = "max_completion_tokens",
    ) -> None:
        root = endpoint.rstrip("/").removesuffix("/openai/v1").removesuffix("/openai")
        super().__init__(f"{root}/openai/v1", api_key, max_tokens_field=max_tokens_field)
        self._root, self._version = root, api_version

    @property
    def _headers(self) -> dict[str, str]:
        return {"api-key": self._key} if self._key else {}

    def _address(self, model: str) -> str:
        if self._version is None:
            return super()._address(model)
        deployment, version = quote(model, safe=""), quote(self._version, safe="")
        return f"{self._root}/openai/deployments/{deployment}/chat/completions?api-version={version}"
