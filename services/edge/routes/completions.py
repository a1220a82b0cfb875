"""OpenAI's chat completions."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from contracts.chat_values import RunStarted
from contracts.completions import StartCompletion
from kit.ids import new_id
from kit.telemetry.spans import note
from services.edge.collect import Result
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER
from services.edge.openai.chat_body import ChatCompletionBody
from services.edge.openai.errors import DOCUMENTED
from services.edge.openai.serving import ANSWERED, Serving, failure, reading
from services.edge.wires.chat_completions import ChatCompletionsWire, completion

router = APIRouter(tags=["openai"], responses=DOCUMENTED)

Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/v1/chat/completions", response_model=None, responses=ANSWERED)
async def create_chat_completion(
    body: ChatCompletionBody,
    request: Request,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    idempotency_key: Key = None,
) -> Response:
    """Answer some messages, as OpenAI does: streamed or not. Its errors have OpenAI's shape.

    The answer is a run like any other: `x-studio-run-id` names it. It is stopped when its client has been gone for a
    while, unless the request has an `Idempotency-Key`: sent again with it, the same run is told from its start.
    """
    with reading():
        command = StartCompletion(
            owner=owner,
            run_id=new_id("chat"),
            turns=body.turns(),
            model=body.model,
            parameters=body.parameters(),
            labels=body.labels(),
            idempotency_key=idempotency_key,
        )
    note("studio.run", command.run_id)
    serving = Serving(gateway, caller, command, kept=idempotency_key is not None)
    if body.stream:
        options = body.stream_options
        return await serving.stream(ChatCompletionsWire(include_usage=bool(options and options.include_usage)))
    return await serving.whole(request, _shown)


async def _shown(started: RunStarted, result: Result) -> Response:
    failed = failure(result, started.run_id)
    if failed is not None:
        return failed
    assert result.created is not None  # noqa: S101  (every log begins with it)
    return JSONResponse(completion(result.created, result.generation), headers={RUN_HEADER: started.run_id})
