"""A draft is its owner's alone; what is published may be seen and copied by the tenant, and changed by its owner."""

from typing import Any

import pytest

from contracts.architect_assistants import (
    CopyAssistant,
    DeleteAssistant,
    ExportAssistant,
    GetAssistant,
    ListAssistants,
    ListVersions,
    UpdateAssistant,
)
from contracts.message import Owner
from kit.ids import new_id
from tests.integration.architect.assistants.world import COLLEAGUE, OWNER, STRANGER, World, another


def every_request(owner: Owner, assistant_id: str) -> list[Any]:
    named: dict[str, Any] = {"owner": owner, "assistant_id": assistant_id}
    return [
        GetAssistant(**named),
        GetAssistant(**named, version=1),
        UpdateAssistant(**named, name="Mine now"),
        UpdateAssistant(**named, definition=another("x"), expected_version=7),
        DeleteAssistant(**named),
        ListVersions(**named),
        ExportAssistant(**named),
        CopyAssistant(owner=owner, assistant_id=new_id("asst"), source_id=assistant_id),
    ]


@pytest.mark.parametrize(("owner", "status"), [(COLLEAGUE, "draft"), (STRANGER, "draft"), (STRANGER, "published")])
async def test_what_may_not_be_seen_is_like_what_is_not_there(world: World, owner: Owner, status: str) -> None:
    made = await world.create(status=status)
    for there, not_there in zip(every_request(owner, made.id), every_request(owner, new_id("asst")), strict=True):
        problem = (await world.refusal(there)).problem
        assert problem.code == "unknown_assistant"
        assert (await world.refusal(not_there)).problem == problem
    assert await world.ask(GetAssistant(owner=OWNER, assistant_id=made.id)) == made


async def test_what_is_published_may_be_used_and_not_changed(world: World) -> None:
    made = await world.create(status="published")
    seen = await world.ask(GetAssistant(owner=COLLEAGUE, assistant_id=made.id))
    assert seen == made.model_copy(update={"mine": False})
    assert (await world.ask(ExportAssistant(owner=COLLEAGUE, assistant_id=made.id))).document["assistants"]
    copy = await world.ask(CopyAssistant(owner=COLLEAGUE, assistant_id=new_id("asst"), source_id=made.id))
    assert (copy.status, copy.mine, copy.copied_from, copy.version) == ("draft", True, made.id, 1)
    assert (copy.name, copy.definition) == (made.name, made.definition)
    assert await world.refused(GetAssistant(owner=OWNER, assistant_id=copy.id)) == "unknown_assistant"
    for request in every_request(COLLEAGUE, made.id)[2:6]:
        assert await world.refused(request) == "not_yours"


async def test_others_see_the_newest_version_only(world: World) -> None:
    """Older ones may be from before it was published."""
    made = await world.create()
    await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=another("x"), status="published"))
    assert (await world.ask(GetAssistant(owner=COLLEAGUE, assistant_id=made.id, version=2))).version == 2
    for version in (1, 3):
        refused = await world.refusal(GetAssistant(owner=COLLEAGUE, assistant_id=made.id, version=version))
        assert refused.problem.code == "unknown_version"
    copy = {"owner": COLLEAGUE, "assistant_id": new_id("asst"), "source_id": made.id, "version": 1}
    assert await world.refused(CopyAssistant(**copy)) == "unknown_version"


async def test_what_is_withdrawn_is_gone_for_others(world: World) -> None:
    made = await world.create(status="published")
    await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, status="draft"))
    assert await world.refused(GetAssistant(owner=COLLEAGUE, assistant_id=made.id)) == "unknown_assistant"
    assert (await world.ask(ListAssistants(owner=COLLEAGUE))).items == ()


async def test_an_id_that_somebody_else_has_is_taken(world: World) -> None:
    made = await world.create()
    refused = await world.refusal(
        CopyAssistant(owner=COLLEAGUE, assistant_id=made.id, source_id=(await world.create(status="published")).id)
    )
    assert refused.problem.code == "invalid_request"


async def test_a_copy_of_an_older_version_of_ones_own(world: World) -> None:
    made = await world.create()
    await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=another("x")))
    command = CopyAssistant(owner=OWNER, assistant_id=new_id("asst"), source_id=made.id, version=1, name="Old")
    copy = await world.ask(command)
    assert (copy.name, copy.definition, copy.latest_version) == ("Old", made.definition, 1)
    assert await world.ask(command) == copy
    await world.ask(DeleteAssistant(owner=OWNER, assistant_id=made.id))
    assert await world.ask(command) == copy, "also when the source is gone"


async def test_lists_are_paged_searched_and_say_whose(world: World) -> None:
    mine = [await world.create(f"Mine {n}", description="100% \\ sure_") for n in range(3)]
    theirs = await world.create("Theirs", owner=COLLEAGUE, status="published")
    await world.create("Their draft", owner=COLLEAGUE)
    await world.create("Of strangers", owner=STRANGER, status="published")

    async def listed(**more: Any) -> list[tuple[str, bool]]:
        page = await world.ask(ListAssistants(owner=OWNER, **more))
        assert all(item.definition is None for item in page.items)
        return [(item.name, item.mine) for item in page.items]

    newest_first = [("Theirs", False), ("Mine 2", True), ("Mine 1", True), ("Mine 0", True)]
    assert await listed() == newest_first
    assert await listed(mine=True) == newest_first[1:]
    assert await listed(mine=False) == newest_first[:1]
    assert await listed(search="mine 2") == [("Mine 2", True)]
    assert await listed(search="sure_ 100%") == newest_first[1:]
    assert await listed(search="100_") == []
    first = await world.ask(ListAssistants(owner=OWNER, limit=3))
    assert [item.id for item in first.items] == [theirs.id, mine[2].id, mine[1].id]
    await world.ask(DeleteAssistant(owner=OWNER, assistant_id=mine[1].id))
    rest = await world.ask(ListAssistants(owner=OWNER, limit=3, before=first.next))
    assert ([item.id for item in rest.items], rest.next) == ([mine[0].id], None), "its mark outlives an assistant"
    assert (await world.ask(ListAssistants(owner=OWNER, before="0.x"))).items == ()
    for before in ("nonsense", "1", "999999999999999999.x", "1.a'b", ""):
        assert await world.refused(ListAssistants(owner=OWNER, before=before)) == "invalid_cursor"
    assert await world.refused(ListAssistants(owner=OWNER, search="a " * 21)) == "too_many_words"
