"""Requests to AWS in the name of whoever we are there: botocore finds the credentials and signs.

Where credentials come from is botocore's own chain: the environment, a profile, a container's or an instance's role, or
`AWS_BEARER_TOKEN_BEDROCK`. To find or renew them may need a request, so all of it happens in a thread.
"""

import asyncio
import os
from typing import Any

from services.inference.providers.base import ProviderError

BEARER = "AWS_BEARER_TOKEN_BEDROCK"  # botocore's name for a key of Bedrock's own
SERVICE = "bedrock"


class AwsSigner:
    """Signs for one region."""

    def __init__(self, region: str, endpoint: str | None = None) -> None:
        """`endpoint`: another address than the region's own."""
        self._region, self._given = region, endpoint
        self._lock = asyncio.Lock()
        self._session: Any = None
        self._endpoint = ""

    async def endpoint(self) -> str:
        """The address of the service, without a slash at its end."""
        async with self._lock:  # botocore's session is not made for several threads
            if not self._endpoint:
                self._endpoint = await asyncio.to_thread(self._look)
        return self._endpoint

    async def headers(self, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        """The headers of a signed POST. Raises ProviderError if there are no credentials."""
        await self.endpoint()
        async with self._lock:
            return await asyncio.to_thread(self._signed, url, body, headers)

    def _look(self) -> str:
        from botocore.config import Config
        from botocore.session import Session

        self._session = Session()
        if self._given:
            return self._given.rstrip("/")
        client = self._session.create_client(
            "bedrock-runtime", region_name=self._region, config=Config(signature_version="v4")
        )
        try:
            return str(client.meta.endpoint_url).rstrip("/")
        finally:
            client.close()

    def _signed(self, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        if token := os.environ.get(BEARER, "").strip():
            return {**headers, "Authorization": f"Bearer {token}"}
        try:
            credentials = self._session.get_credentials()
            frozen = None if credentials is None else credentials.get_frozen_credentials()
        except BotoCoreError:
            frozen = None
        if frozen is None or not frozen.access_key:
            raise ProviderError(
                "provider_auth",
                "There are no AWS credentials for this provider. The operator has to check them.",
                retryable=False,
            )
        request = AWSRequest(method="POST", url=url, data=body, headers=headers)
        SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())
