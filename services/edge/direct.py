"""Routes that many ask for at the same moment: called without the framework's dependencies.

After a deploy every client comes back at once, and most of what each costs was finding its route and its arguments. A
handler here takes the request itself; what it declares for the documents is declared beside it.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Awaitable[Response]]


def direct(handler: Handler) -> type[APIRoute]:
    """The class of a route that is documented by its endpoint and served by `handler`."""

    class Direct(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            async def handle(request: Request) -> Response:
                return await handler(request)

            return handle

    return Direct
