"""Everybody is told of what became of an assistant, once, after it is stored; later if the bus is away."""

import pytest

from contracts.architect_assistants import DeleteAssistant, UpdateAssistant
from services.architect import assistant_telling
from tests.integration.architect.assistants.world import OWNER, World, another


def saved(version: int, status: str, steps: int, revision: int, assistant_id: str) -> dict[str, object]:
    return {
        "verb": "saved",
        "assistant_id": assistant_id,
        "version": version,
        "status": status,
        "steps": steps,
        "revision": revision,
    }


async def test_every_change_is_told_and_nothing_twice(world: World) -> None:
    made = await world.create()
    for change in ({"status": "published"}, {"status": "published"}, {"status": "draft"}, {"status": "published"}):
        await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, **change))
    await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=another("x")))
    await world.replicas[0].assistants.telling.sweep()
    await world.create(assistant_id=made.id)
    await world.ask(DeleteAssistant(owner=OWNER, assistant_id=made.id))
    assert await world.facts(made.id) == [
        saved(1, "draft", 2, 1, made.id),
        saved(1, "published", 2, 2, made.id),
        saved(1, "draft", 2, 3, made.id),
        saved(1, "published", 2, 4, made.id),
        saved(2, "published", 1, 5, made.id),
        {"verb": "deleted", "assistant_id": made.id},
    ]
    assert await world.rows("SELECT * FROM architect.assistant_deletion") == []


async def test_what_could_not_be_told_is_told_by_the_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died, or the bus was away, between the commit and the fact."""

    async def away(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(assistant_telling, "publish", away)
        kept, gone = await world.create("Kept"), await world.create("Gone")
        assert (await world.ask(UpdateAssistant(owner=OWNER, assistant_id=kept.id, name="New"))).name == "New"
        await world.ask(DeleteAssistant(owner=OWNER, assistant_id=gone.id))
    assert (await world.facts(kept.id), await world.facts(gone.id)) == ([], [])
    for _ in range(2):
        await world.replicas[0].assistants.telling.sweep()
    assert await world.facts(kept.id) == [saved(1, "draft", 2, 2, kept.id)]
    assert await world.facts(gone.id) == [{"verb": "deleted", "assistant_id": gone.id}]
