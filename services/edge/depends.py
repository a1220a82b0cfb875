"""What routes are given. All are coroutines: FastAPI runs a plain function in a thread, which costs more than it."""

from typing import Annotated

from fastapi import Depends, Request

from contracts.message import Owner
from kit.auth.principal import Principal
from services.edge.gateway import Gateway, owner_of


async def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


async def _owner(request: Request) -> Owner:
    return owner_of(request.state.principal)


TheGateway = Annotated[Gateway, Depends(_gateway)]
Caller = Annotated[Principal, Depends(_principal)]
TheOwner = Annotated[Owner, Depends(_owner)]
