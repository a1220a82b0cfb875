"""What routes are given."""

from typing import Annotated

from fastapi import Depends, Request

from contracts.message import Owner
from kit.auth.principal import Principal
from services.edge.gateway import Gateway, owner_of


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


def _owner(request: Request) -> Owner:
    return owner_of(_principal(request))


TheGateway = Annotated[Gateway, Depends(_gateway)]
Caller = Annotated[Principal, Depends(_principal)]
TheOwner = Annotated[Owner, Depends(_owner)]
