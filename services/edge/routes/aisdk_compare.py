"""Comparisons for the Vercel AI SDK: one message, a slot for each model. The predecessor's request means the same."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from contracts import chat, compare
from contracts.ids import orchestrator_of
from kit.refusal import Refused
from kit.telemetry.spans import note
from services.edge.aisdk.compare_body import CompareBody
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER, Headers, Watch, begin_run, follow_run
from services.edge.gateway import comparison_id
from services.edge.wires.two_models import TwoModelsWire
from services.edge.wires.ui_comparison import UiComparisonWire

router = APIRouter(tags=["ai sdk"])

COMPARISON_HEADER = "x-comparison-id"
"""The predecessor's name of the run."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "A UI message stream, or the predecessor's events.", "content": {"text/event-stream": {}}}
}
_RESUMED: dict[int | str, dict[str, Any]] = {**_STREAM, 204: {"description": "There is nothing to resume."}}


@router.post("/api/compare", response_model=None, responses=_STREAM)
async def post_compare(
    body: CompareBody,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Ask several models the same, and stream their answers as one message of the AI SDK.

    `models` are ids, or what each is asked otherwise. The answer has a text part for each model, and a `data-slot`
    part that says how it does. The run's id is in the message's metadata and in `x-studio-run-id`: it is what the
    stream is resumed by. The same message sent again is the same comparison. With `prompt`, `model1Id` and `model2Id`
    the answer is the predecessor's. Closing the connection does not stop the answers.
    """
    command = body.command(owner, idempotency_key)
    note("studio.run", command.run_id)
    if body.is_predecessors:
        return await begin_run(gateway, Watch(caller, TwoModelsWire(), headers=_headers), command, command.run_id, None)
    wire = UiComparisonWire(last_event_id)
    watch = Watch(caller, wire, headers=_headers, resume=wire.resume)
    return await begin_run(gateway, watch, command, command.run_id, None)


@router.get("/api/compare/{comparison:path}/stream", response_model=None, responses=_RESUMED)
async def resume_compare(
    comparison: str,
    gateway: TheGateway,
    caller: Caller,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """A comparison by its run's id, from its start or from the cursor: while it goes on, and after its end.

    204 if it is unknown, or if the client has all of it.
    """
    if orchestrator_of(comparison) != "compare":
        return Response(status_code=204)
    wire = UiComparisonWire(last_event_id)
    try:
        watch = Watch(caller, wire, resume=wire.resume)
        return await follow_run(gateway, watch, comparison, None, _named(comparison))
    except Refused as refused:
        if refused.problem.code != "unknown_run":
            raise
        return Response(status_code=204)


@router.post("/api/compare/{comparison:path}/stop", response_model=chat.Run)
async def stop_compare(comparison: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Stop every model that still answers. What was written is kept."""
    return await gateway.ask(compare.CancelCompareRun(owner=owner, run_id=comparison_id(comparison)))


def _headers(started: compare.ComparisonStarted) -> Headers:
    return _named(started.run_id)


def _named(run_id: str) -> Headers:
    return [(RUN_HEADER.encode(), run_id.encode()), (COMPARISON_HEADER.encode(), run_id.encode())]
