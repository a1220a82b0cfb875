"""The catalogue."""

from typing import Any

from fastapi import APIRouter

from contracts.generation import ListModels, ModelList
from kit.refusal import Refused
from services.edge.bodies import Model, Models
from services.edge.depends import TheGateway
from services.edge.openai.errors import DOCUMENTED

SHOWN_CHARACTERS = 100

router = APIRouter(prefix="/v1/models", tags=["models"], responses=DOCUMENTED)


@router.get("", response_model=Models)
async def list_models(gateway: TheGateway) -> Any:
    """The models there are, with context window, prices (USD per million tokens) and capabilities."""
    offered: ModelList = await gateway.ask(ListModels())
    return {"data": [_shown(model) for model in offered.models]}


@router.get("/{model:path}", response_model=Model)
async def get_model(model: str, gateway: TheGateway) -> Any:
    """One model. Its id may contain slashes, escaped or not."""
    offered: ModelList = await gateway.ask(ListModels())
    for known in offered.models:
        if known["id"] == model:
            return _shown(known)
    raise Refused(
        "unknown_model", f"There is no model {model[:SHOWN_CHARACTERS]!r}. GET /v1/models lists those there are."
    )


def _shown(model: dict[str, Any]) -> dict[str, Any]:
    return {"owned_by": model.get("provider", ""), **model}
