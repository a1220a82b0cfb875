"""Storing a run with all its lanes: one statement, so one round trip and one transaction of its own."""

import json
from collections.abc import Sequence

import asyncpg

from kit.db.database import Database
from kit.db.statement import Statement
from services.compare.models import LaneRow, RunRow

_LANE_COLUMNS = """lane, position, model, request, origin_run_id, origin_lane, own, status, text, reasoning, provider,
    attempt, finish_reason, error, usage, cost_usd, queued_ms, first_token_ms, total_ms, tokens_per_second, ended_at"""
_BEGIN = Statement(f"""
    WITH begun AS (
        INSERT INTO compare.run (id, tenant, "user", parent_run_id, title, blind, status, turns, parameters,
                                 idempotency_key, fingerprint, notify, trace, error, created_at, ended_at)
        VALUES (:id, :tenant, :user, :parent_run_id, :title, :blind, :status, CAST(:turns AS jsonb),
                CAST(:parameters AS jsonb), :idempotency_key, :fingerprint, :notify, CAST(:trace AS jsonb),
                CAST(:error AS jsonb), :created_at, :ended_at)
        RETURNING id
    )
    INSERT INTO compare.lane (run_id, {_LANE_COLUMNS})
    SELECT begun.id, {_LANE_COLUMNS}
    FROM begun, jsonb_populate_recordset(CAST(NULL AS compare.lane), CAST(:lanes AS jsonb))
    RETURNING lane
""")  # noqa: S608  (put together from constants)


class ConflictError(Exception):
    """There is a run of this id already, or of this owner with this idempotency key."""


async def begin(database: Database, run: RunRow, lanes: Sequence[LaneRow]) -> None:
    """Store a run and its lanes. Raises ConflictError."""
    values = run.model_dump()
    values |= {name: json.dumps(values[name]) for name in ("turns", "parameters")}
    values |= {name: None if values[name] is None else json.dumps(values[name]) for name in ("trace", "error")}
    values["lanes"] = json.dumps([lane.model_dump(mode="json") for lane in lanes])
    try:
        await database.fetch(_BEGIN, values)
    except asyncpg.UniqueViolationError as error:
        raise ConflictError from error
