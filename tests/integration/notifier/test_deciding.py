"""Who is told, and who is not, and why: with real messages, a real table, and a real mail server."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.chat_facts import RunCreatedFact
from contracts.message import Owner
from contracts.notifier import GetPreferences, ListNotifications, RetryNotification, Unsubscribe
from contracts.session import Presence, SessionBegunFact
from kit.bus.publish import publish
from kit.clock import utc_now
from tests.fixtures.mail_server import MailServer
from tests.fixtures.polling import until
from tests.integration.notifier.world import ADDRESS, OWNER, World, ended_fact


async def test_nobody_is_there_so_one_mail_has_the_answer(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = await world.ended("Io is the **innermost** moon.")
    found = await world.until_status(run_id, "sent")
    [mail] = await mails.until(1)
    assert list(mail.recipients) == [ADDRESS]
    assert "Io is the **innermost** moon." in mail.message.get_body(("plain",)).get_content()
    assert "Seas and moons" in mail.message["Subject"]
    assert f"https://ai.test/v1/runs/{run_id}" in mail.message.get_body(("plain",)).get_content()
    assert (found.policy, found.outcome, found.reason) == ("when_away", "completed", None)
    [delivery] = found.deliveries
    assert (delivery.channel, delivery.target, delivery.status, delivery.attempts) == ("email", ADDRESS, "sent", 1)
    assert delivery.sent_at is not None


async def test_who_has_seen_the_end_gets_no_mail(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = "chat_seen"
    edge = await world.watch(run_id, Presence(watching=0, seen=True))
    await publish(world.bus, ended_fact(run_id))
    found = await world.until_status(run_id, "not_sent")
    await edge.unsubscribe()
    assert found.reason is not None
    assert (found.reason.code, found.deliveries, mails.mails) == ("watched", (), [])


async def test_who_comes_back_within_the_grace_gets_no_mail(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = "chat_reloaded"
    await publish(world.bus, ended_fact(run_id))
    await until(lambda: _waiting(world, run_id))
    edge = await world.watch(run_id, Presence(watching=1, seen=True))
    found = await world.until_status(run_id, "not_sent")
    await edge.unsubscribe()
    assert found.reason is not None
    assert (found.reason.code, mails.mails) == ("watched", [])


async def _waiting(world: World, run_id: str) -> bool:
    return any(found.status == "waiting" for found in await world.notifications(run_id))


async def test_a_stream_that_is_open_and_never_takes_the_end_is_a_closed_laptop(
    world: World, mails: MailServer
) -> None:
    await world.replica(mails)
    await world.session()
    run_id = "chat_half_open"
    world.texts[run_id] = "Unseen."
    watching = await world.watch(run_id, Presence(watching=1))
    await publish(world.bus, ended_fact(run_id))
    await world.until_status(run_id, "sent")
    await mails.until(1)
    await watching.unsubscribe()


async def test_of_several_edges_the_one_that_has_seen_the_end_is_heard(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = "chat_two_edges"
    edges = [await world.watch(run_id, Presence(watching=1, seen=seen)) for seen in (False, True)]
    await publish(world.bus, ended_fact(run_id))
    found = await world.until_status(run_id, "not_sent")
    assert found.reason is not None
    assert found.reason.code == "watched"
    for edge in edges:
        await edge.unsubscribe()


@pytest.mark.parametrize(
    ("wishes", "fact", "code"),
    [
        ({}, {"notify": "never"}, "policy_never"),
        ({"policy": "never"}, {}, "policy_never"),
        ({"email": False}, {}, "unsubscribed"),
        ({"email": False}, {"notify": "always"}, "unsubscribed"),
        ({}, {"outcome": "cancelled"}, "stopped_by_owner"),
    ],
)
async def test_what_nobody_wants_is_not_sent_and_listed(
    world: World, mails: MailServer, wishes: dict[str, Any], fact: dict[str, Any], code: str
) -> None:
    await world.replica(mails)
    await world.session()
    await world.wish(**wishes)
    found = await world.until_status(await world.ended(**fact), "not_sent")
    assert found.reason is not None
    assert (found.reason.code, found.deliveries, mails.mails) == (code, (), [])


async def test_short_runs_are_not_even_listed_unless_somebody_asks(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    short = await world.ended(total_ms=2_000)
    asked = await world.ended(total_ms=2_000, notify="always")
    await world.until_status(asked, "sent")
    assert await world.notifications(short) == ()
    await world.wish(longer_than_seconds=1)
    await world.until_status(await world.ended(total_ms=2_000), "sent")
    await mails.until(2)


async def test_that_a_run_begins_is_no_news(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await publish(world.bus, RunCreatedFact(owner=OWNER, run_id="chat_new", conversation_id="c", model="m"))
    await world.until_status(await world.ended(notify="never"), "not_sent")
    assert await world.notifications("chat_new") == ()


async def test_what_is_old_is_not_told_any_more(world: World, mails: MailServer) -> None:
    await world.replica(mails, late_seconds=0.001)
    found = await world.until_status(await world.ended(), "not_sent")
    assert found.reason is not None
    assert found.reason.code == "too_late"


async def test_an_address_that_becomes_known_a_little_later_is_waited_for(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    run_id = await world.ended()
    await world.until_status(run_id, "sending")
    await world.session()
    found = await world.until_status(run_id, "sent")
    assert found.deliveries[0].target == ADDRESS
    assert found.deliveries[0].attempts == 1, "waiting for the address is no attempt"


async def test_an_address_that_nobody_knows_is_not_waited_for_for_ever(world: World, mails: MailServer) -> None:
    await world.replica(mails, address_wait_seconds=0)
    found = await world.until_status(await world.ended(), "not_sent")
    assert found.deliveries[0].error is not None
    assert found.deliveries[0].error.code == "no_address"


async def test_a_run_that_was_deleted_is_not_told(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = await world.ended()
    del world.texts[run_id]
    found = await world.until_status(run_id, "not_sent")
    assert found.deliveries[0].error is not None
    assert (found.deliveries[0].error.code, mails.mails) == ("run_gone", [])


async def test_the_newest_address_holds_and_an_older_fact_changes_nothing(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session("new@example.com")
    seen = utc_now() - timedelta(days=1)
    await publish(world.bus, SessionBegunFact(owner=OWNER, email="old@example.com", at=int(seen.timestamp() * 1000)))
    await world.until_status(await world.ended(notify="always"), "sent")
    [mail] = await mails.until(1)
    assert list(mail.recipients) == ["new@example.com"]


async def test_two_replicas_and_a_fact_that_comes_again_and_again_make_one_mail(
    world: World, mails: MailServer
) -> None:
    for _ in range(2):
        await world.replica(mails)
    await world.session()
    run_id = await world.ended()
    fact = ended_fact(run_id)
    body = fact.model_dump_json(exclude_none=True).encode()
    for _ in range(5):
        await world.bus.client.jetstream().publish(fact.subject(), body)  # no message id: as if long after
    await world.until_status(run_id, "sent")
    await world.until_status(await world.ended(notify="always"), "sent")
    await mails.until(2)
    assert len(await world.notifications(run_id)) == 1


async def test_one_click_ends_all_mails_and_the_preferences_say_so(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    await world.until_status(await world.ended(notify="always"), "sent")
    [mail] = await mails.until(1)
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail.message["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://ai.test/unsubscribe/")
    token = link.rpartition("/")[2]
    assert await world.refused(Unsubscribe(token=token[:-1])) == "unknown_token"
    assert (await world.ask(Unsubscribe(token=token))).address == "a…@example.com"
    assert (await world.ask(Unsubscribe(token=token))).address == "a…@example.com"
    assert not (await world.ask(GetPreferences(owner=OWNER))).email
    found = await world.until_status(await world.ended(notify="always"), "not_sent")
    assert found.reason is not None
    assert found.reason.code == "unsubscribed"


async def test_nobody_sees_what_somebody_else_was_sent(world: World, mails: MailServer) -> None:
    await world.replica(mails)
    await world.session()
    run_id = await world.ended(notify="always")
    found = await world.until_status(run_id, "sent")
    stranger = Owner(tenant="t", user="stranger")
    assert await world.notifications(owner=stranger) == ()
    assert await world.notifications(run_id, owner=stranger) == ()
    assert await world.refused(RetryNotification(owner=stranger, notification_id=found.id)) == "unknown_notification"
    assert (await world.ask(GetPreferences(owner=stranger))).address is None


async def test_the_list_is_told_page_by_page_newest_first(world: World) -> None:
    await world.replica()
    runs = []
    for _ in range(5):
        runs.append(await world.ended(notify="never"))
        await world.until_status(runs[-1], "not_sent")
    seen: list[str] = []
    before: str | None = None
    while True:
        page = await world.ask(ListNotifications(owner=OWNER, limit=2, before=before))
        seen += [item.run_id for item in page.items]
        before = page.next
        if before is None:
            break
    assert seen == runs[::-1]
