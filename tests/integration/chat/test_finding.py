"""Finding conversations again: pinned, archived, by words; and what their owner thinks of the answers."""

from typing import Any

import pytest

from contracts.chat import ChatMessage, ConversationPage, ListConversations, RateMessage, Rating, UpdateConversation
from contracts.message import Owner
from kit.ids import new_id
from kit.runlog.lane import RunKey
from tests.integration.chat.asking import conversation_of, message, refused, said, shown
from tests.integration.chat.world import OWNER, World

OTHER = Owner(tenant="t", user="somebody-else")


@pytest.fixture
def me() -> Owner:
    """Somebody who has no conversations yet."""
    return Owner(tenant="t", user=new_id("user"))


async def begun(world: World, owner: Owner, *contents: str) -> list[str]:
    found = []
    for content in contents:
        conversation = new_id("conv")
        await _said(world, owner, conversation, content)
        found.append(conversation)
    return found


async def _said(world: World, owner: Owner, conversation: str, content: str, reply: str = "An answer.") -> None:
    started = await world.ask(message(conversation, content, owner=owner, create_missing=True))
    key = RunKey(owner.tenant, owner.user, started.run_id)
    worker = await world.work_on(key)
    fact = (await worker.finish(reply)).model_copy(update={"owner": owner})
    await worker.die()
    await world.replicas[0]._endings.on_generation_ended(fact)


async def listed(world: World, owner: Owner, **more: Any) -> list[str]:
    page: ConversationPage = await world.ask(ListConversations(owner=owner, **more))
    return [each.id for each in page.items]


async def change(world: World, owner: Owner, conversation: str, **more: Any) -> None:
    await world.ask(UpdateConversation(owner=owner, conversation_id=conversation, **more))


async def test_pinned_and_archived_ones_are_asked_for_by_themselves(world: World, me: Owner) -> None:
    await world.replica()
    one, two, three = await begun(world, me, "One", "Two", "Three")
    await change(world, me, one, pinned=True)
    await change(world, me, two, archived=True)
    assert await listed(world, me) == [three, one]
    assert await listed(world, me, pinned=True) == [one]
    assert await listed(world, me, pinned=False) == [three]
    assert await listed(world, me, archived=True) == [two]
    await change(world, me, one, pinned=False, archived=True)
    assert await listed(world, me, archived=True) == [two, one]
    assert await listed(world, me, pinned=True) == []


async def test_filtered_pages_are_complete(world: World, me: Owner) -> None:
    await world.replica()
    made = await begun(world, me, *(f"Number {number}" for number in range(7)))
    for conversation in made[::2]:
        await change(world, me, conversation, pinned=True)
    found: list[str] = []
    mark = None
    while True:
        page = await world.ask(ListConversations(owner=me, pinned=True, search="number", limit=2, before=mark))
        found += [each.id for each in page.items]
        mark = page.next
        if mark is None:
            break
    assert found == made[::2][::-1]


async def test_words_are_found_in_titles_and_messages(world: World, me: Owner) -> None:
    await world.replica()
    one, two = await begun(world, me, "Where do geese sleep?", "100% of_it\\all")
    await change(world, me, one, title="About Birds")
    await _said(world, me, two, "More", "On the LAKE, quietly.")
    for search, found in (
        ("birds", [one]),
        ("GEESE sleep", [one]),
        ("sleep  geese", [one]),
        ("lake", [two]),
        ("lake geese", []),
        ("answer", [two, one]),
        ("100%", [two]),
        ("0%of", []),
        ("of_it", [two]),
        ("ofxit", []),
        ("it\\all", [two]),
        ("%", [two]),
        ("_", [two]),
        ("'; DROP TABLE chat.run; --", []),
        ("", [two, one]),
        ("  ", [two, one]),
    ):
        assert await listed(world, me, search=search) == found, search
        assert await listed(world, OTHER, search=search or "birds") == []
    assert await refused(world, ListConversations(owner=me, search="a\x00")) == "invalid_text"
    assert await refused(world, ListConversations(owner=me, search="a " * 11)) == "too_many_words"


async def test_an_answer_is_rated_and_each_change_is_told(world: World) -> None:
    await world.replica()
    conversation = await conversation_of(world, ("One", "1"))
    question, reply = await shown(world, conversation)

    async def rate(rating: Rating | None) -> ChatMessage:
        request: Any = {"owner": OWNER, "conversation_id": conversation, "message_id": reply.id}
        rated: ChatMessage = await world.ask(RateMessage(**request, rating=rating))
        return rated

    up = Rating(value="up", comment="Just right.")
    for rating in (up, up, Rating(value="down"), None, None):
        assert (await rate(rating)).rating == rating
        assert (await shown(world, conversation))[1].rating == rating
    facts = [subject for subject in (await world.facts())[reply.run_id or ""] if subject.endswith(".rated")]
    assert len(facts) == 3, "the same again is nothing new"
    of: dict[str, Any] = {"conversation_id": conversation, "message_id": question.id, "rating": up}
    assert await refused(world, RateMessage(owner=OWNER, **of)) == "not_an_answer"
    bad = {**of, "message_id": reply.id, "rating": Rating(value="up", comment="a\x00b")}
    assert await refused(world, RateMessage(owner=OWNER, **bad)) == "invalid_text"


async def test_what_an_answer_costs_is_with_it(world: World) -> None:
    await world.replica()
    conversation = new_id("conv")
    await said(world, conversation, "One", "1", create=True, cost_usd="0.000123")
    assert (await shown(world, conversation))[1].cost_usd == "0.000123"
