"""The catalogue."""

from typing import Any

from fastapi import APIRouter

from contracts.generation import ListModels, ModelList
from services.edge.bodies import Models
from services.edge.depends import TheGateway

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", response_model=Models)
async def list_models(gateway: TheGateway) -> Any:
    """The models there are, with context window, prices (USD per million tokens) and capabilities."""
    offered: ModelList = await gateway.ask(ListModels())
    return {"data": [{"owned_by": model.get("provider", ""), **model} for model in offered.models]}
