"""OpenAI's responses: make one."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from contracts.chat_values import RunStarted
from contracts.completions import Completion, GetCompletion, StartCompletion
from kit.ids import new_id
from kit.refusal import Refused
from kit.telemetry.spans import note
from services.edge.collect import Result
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER
from services.edge.openai import asked, ids
from services.edge.openai.errors import DOCUMENTED, Mistake
from services.edge.openai.response_object import stored
from services.edge.openai.responses_body import ResponseBody
from services.edge.openai.serving import ANSWERED, Serving, failure, reading
from services.edge.routes.completions import Key
from services.edge.wires.responses import ResponsesWire

router = APIRouter(tags=["openai"], responses=DOCUMENTED)


@router.post("/v1/responses", response_model=None, responses=ANSWERED)
async def create_response(
    body: ResponseBody,
    request: Request,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    idempotency_key: Key = None,
) -> Response:
    """Answer some input, as OpenAI does: streamed or not, in the background or not. Errors have OpenAI's shape.

    A response in the background goes on without its client; any other is stopped when its client has been gone for a
    while, unless the request has an `Idempotency-Key`. Every response is kept, whatever `store` says.
    """
    with reading():
        command = StartCompletion(
            owner=owner,
            run_id=new_id("chat"),
            turns=body.turns(),
            after=_before(body.previous_response_id),
            model=body.model,
            parameters=body.parameters(),
            labels=body.labels(),
            idempotency_key=idempotency_key,
        )
    note("studio.run", command.run_id)
    serving = Serving(gateway, caller, command, kept=bool(body.background) or idempotency_key is not None)

    async def kept(run_id: str) -> Response:
        completion: Completion = await gateway.ask(GetCompletion(owner=owner, run_id=run_id))
        return JSONResponse(stored(completion), headers={RUN_HEADER: run_id})

    async def shown(started: RunStarted, result: Result) -> Response:
        return failure(result, started.run_id) or await kept(started.run_id)

    try:
        if body.stream:
            return await serving.stream(ResponsesWire(asked.of_command(command)))
        if body.background:
            started: RunStarted = await gateway.ask(command)
            return await kept(started.run_id)
        return await serving.whole(request, shown)
    except Refused as refused:
        if command.after is None or refused.problem.code != "unknown_run":
            raise
        raise _unknown_before() from refused


def _before(response: str | None) -> str | None:
    if response is None:
        return None
    try:
        return ids.run_of(response)
    except Refused as refused:
        raise _unknown_before() from refused


def _unknown_before() -> Mistake:
    message = "There is no such response to go on from."
    return Mistake("previous_response_id", message, "previous_response_not_found")
