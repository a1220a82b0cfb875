"""Runs of several services: who is asked about one, and all of them as one list."""

from datetime import UTC, datetime

import pytest

from contracts.architect import GetArchitectRun
from contracts.chat import GetRun, Run, RunPage
from contracts.compare import GetCompareRun
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.orchestrators import SERVED, merged, run_mark, serving

OWNER = Owner(tenant="t", user="u")


def page(*ids: str, goes_on: str | None = None) -> RunPage:
    return RunPage(
        items=tuple(Run(id=run, kind="x", status="completed", model="", created_at=datetime.now(UTC)) for run in ids),
        next=goes_on,
    )


def test_the_id_says_who_is_asked() -> None:
    assert serving("chat_1").get(owner=OWNER, run_id="chat_1") == GetRun(owner=OWNER, run_id="chat_1")
    blind = GetCompareRun(owner=OWNER, run_id="cmp_1_blind")
    assert serving("cmp_1_blind").get(owner=OWNER, run_id="cmp_1_blind") == blind
    assert serving("arc_1").get(owner=OWNER, run_id="arc_1") == GetArchitectRun(owner=OWNER, run_id="arc_1")


@pytest.mark.parametrize("run_id", ["arc_", "nope_1", "chat_", "", "cmp_a.b"])
def test_nobody_is_asked_about_what_nobody_has(run_id: str) -> None:
    with pytest.raises(Refused) as refused:
        serving(run_id)
    assert refused.value.problem.code == "unknown_run"


def test_a_mark_is_the_same_moment_for_all() -> None:
    for mark in ("chat_5", "cmp_5", "cmp_5_blind", "arc_5"):
        assert [kind.mark(run_mark(mark)) for kind in SERVED.values()] == ["chat_5", "cmp_5", "arc_5"]
    assert run_mark(None) is None
    for wrong in ("", "5", "nope_5", "chat_*"):
        with pytest.raises(Refused):
            run_mark(wrong)


def test_pages_are_one_list_newest_first() -> None:
    told = merged([page("chat_7", "chat_3"), page("cmp_9_blind", "cmp_5", "cmp_1")], 10)
    assert [run.id for run in told.items] == ["cmp_9_blind", "chat_7", "cmp_5", "chat_3", "cmp_1"]
    assert told.next is None


def test_the_list_goes_on_where_it_was_cut() -> None:
    chats, comparisons = [f"chat_{n}" for n in (9, 8, 3, 1)], [f"cmp_{n}" for n in (7, 6, 5, 4, 2)]
    seen: list[str] = []
    mark: str | None = None
    while True:
        pages = []
        for kind, ids in (("chat", chats), ("compare", comparisons)):
            before = SERVED[kind].mark(mark)
            found = [run for run in ids if before is None or run < before]
            pages.append(page(*found[:2], goes_on=found[1] if len(found) > 2 else None))
        told = merged(pages, 2)
        seen += [run.id for run in told.items]
        mark = told.next
        if mark is None:
            break
    assert [run.partition("_")[2] for run in seen] == list("987654321")
    assert merged([page(), page()], 2) == RunPage(items=())
