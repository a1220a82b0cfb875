"""Reading what the leaderboard is computed from: the votes and answers of a tenant, as far back as the board looks."""

import json
from collections.abc import Sequence

import asyncpg

from kit.db.database import Database
from kit.db.statement import Statement
from services.compare.ballots import Answer, Ballot, Voted

_VOTES = Statement("""
    SELECT run_id, outcome, winner, lanes, voted_at FROM compare.vote
    WHERE tenant = :tenant AND voted_at > now() - make_interval(days => :days)
      AND (blind OR NOT CAST(:blind_only AS boolean))
    ORDER BY voted_at DESC, run_id LIMIT :rows
""")
_ANSWERS = Statement("""
    SELECT lane.model, lane.status AS outcome, lane.first_token_ms, lane.tokens_per_second, lane.cost_usd
    FROM compare.run JOIN compare.lane ON lane.run_id = run.id
    WHERE run.tenant = :tenant AND run.created_at > now() - make_interval(days => :days)
      AND (run.blind OR NOT CAST(:blind_only AS boolean))
      AND (NOT run.blind OR EXISTS (SELECT FROM compare.vote WHERE vote.run_id = run.id))
      AND lane.status <> 'running' AND lane.origin_run_id IS NULL
    ORDER BY run.created_at DESC, lane.run_id, lane.position LIMIT :rows
""")
"""Before its vote a blind comparison must not be seen here: the board would tell whose answer has just failed. A lane
that shows an earlier one again is no further answer.
"""


Rows = Sequence[asyncpg.Record]
"""As they come: to make ballots and answers of many takes a while, and is done beside the event loop."""


async def votes(database: Database, tenant: str, *, blind_only: bool, days: int, rows: int) -> Rows:
    """The newest votes, also on comparisons that are deleted."""
    values = {"tenant": tenant, "blind_only": blind_only, "days": days, "rows": rows}
    return await database.fetch(_VOTES, values)


async def answers(database: Database, tenant: str, *, blind_only: bool, days: int, rows: int) -> Rows:
    """The newest answers that have ended."""
    values = {"tenant": tenant, "blind_only": blind_only, "days": days, "rows": rows}
    return await database.fetch(_ANSWERS, values)


def ballots_of(rows: Rows) -> list[Ballot]:
    """Votes as the board counts them."""
    return [_ballot(row) for row in rows]


def answers_of(rows: Rows) -> list[Answer]:
    """Answers as the board counts them."""
    return [Answer(**row) for row in rows]


def _ballot(row: asyncpg.Record) -> Ballot:
    found = {
        lane["lane"]: Voted(
            model=lane["model"],
            answer=f"{lane.get('origin_run_id', row['run_id'])}.{lane.get('origin_lane', lane['lane'])}",
            completed=lane["status"] == "completed",
            rating=lane.get("rating"),
        )
        for lane in json.loads(row["lanes"])
    }
    winner = found.get(row["winner"])
    return Ballot(
        lanes=tuple(found.values()),
        outcome=row["outcome"],
        winner=None if winner is None else winner.answer,
        cast=f"{row['voted_at'].timestamp():020.6f} {row['run_id']}",
    )
