"""What becomes of a delivery when the other side, or the sender itself, does wrong."""

import asyncio
from typing import Any

from contracts.message import Owner
from contracts.notifier import AddWebhook, GetPreferences, RetryNotification
from contracts.notifier_facts import NotificationEndedFact
from contracts.session import SessionBegunFact
from kit.bus.publish import publish
from kit.clock import now_ms
from services.notifier.transports.smtp import SmtpTransport
from tests.fixtures.hook_server import hook_server
from tests.fixtures.mail_server import MailServer
from tests.fixtures.polling import until
from tests.integration.notifier.world import ADDRESS, OWNER, World


async def test_a_mail_server_that_is_away_gets_the_mail_when_it_is_back(world: World, mails: MailServer) -> None:
    mails.stop()
    await world.replica(mails)
    await world.session()
    run_id = await world.ended()
    await until(lambda: _attempts(world, run_id, 3))
    found = await world.until_status(run_id, "sending")
    assert found.deliveries[0].error is not None
    assert found.deliveries[0].error.code == "mail_server_away"
    mails.start()
    await world.until_status(run_id, "sent")
    await mails.until(1)


async def _attempts(world: World, run_id: str, at_least: int) -> bool:
    found = await world.notifications(run_id)
    return bool(found and found[0].deliveries and found[0].deliveries[0].attempts >= at_least)


async def test_a_mail_that_is_refused_for_now_comes_later_once(world: World, mails: MailServer) -> None:
    mails.refuse(ADDRESS, "451 4.3.2 Try again later", times=2)
    await world.replica(mails)
    await world.session()
    found = await world.until_status(await world.ended(), "sent")
    assert found.deliveries[0].attempts == 3
    await mails.until(1)


async def test_an_address_that_is_refused_for_good_is_shown_and_not_tried_again(
    world: World, mails: MailServer
) -> None:
    mails.refuse(ADDRESS)
    await world.replica(mails)
    await world.session()
    found = await world.until_status(await world.ended(), "failed")
    [delivery] = found.deliveries
    assert delivery.error is not None
    assert (delivery.error.code, delivery.attempts) == ("address_refused", 1)
    assert "5.1.1" in delivery.error.message
    problem = (await world.ask(GetPreferences(owner=OWNER))).address_problem
    assert problem is not None
    assert problem.code == "address_refused"
    connections = mails.connections
    second = await world.until_status(await world.ended(), "not_sent")
    assert second.reason is not None
    assert (second.reason.code, mails.connections) == ("address_refused", connections)

    mails.forget()
    await world.wish(email=True)  # the owner says that it is mended
    await world.ask(RetryNotification(owner=OWNER, notification_id=found.id))
    await world.until_status(found.run_id, "sent")
    await mails.until(1)


async def test_another_address_is_not_held_against_its_user(world: World, mails: MailServer) -> None:
    mails.refuse("gone@example.com")
    await world.replica(mails)
    await world.session("gone@example.com")
    await world.until_status(await world.ended(), "failed")
    await publish(world.bus, SessionBegunFact(owner=OWNER, email="gone@example.com", at=now_ms()))
    await world.session("found@example.com")
    assert (await world.ask(GetPreferences(owner=OWNER))).address_problem is None
    await world.until_status(await world.ended(), "sent")
    assert list((await mails.until(1))[0].recipients) == ["found@example.com"]


async def test_what_is_given_up_can_be_sent_once_more(world: World, mails: MailServer) -> None:
    mails.refuse_at("MAIL", "451 4.3.2 Not now")
    await world.replica(mails, mail_give_up_seconds=3.0)
    await world.session()
    found = await world.until_status(await world.ended(), "failed")
    assert found.deliveries[0].attempts >= 2
    mails.forget()
    await world.ask(RetryNotification(owner=OWNER, notification_id=found.id))
    await world.until_status(found.run_id, "sent")
    await world.ask(RetryNotification(owner=OWNER, notification_id=found.id))  # what was sent stays sent
    await world.until_status(found.run_id, "sent")
    await mails.until(1)


async def test_a_server_that_dies_before_it_answers_leaves_it_open_and_gets_the_same_mail_again(
    world: World, mails: MailServer
) -> None:
    """The window that SMTP leaves: the mail is there, and nobody has said so. Both have the same Message-ID."""
    mails.cut("DATA", kept=True)
    await world.replica(mails)
    await world.session()
    await world.until_status(await world.ended(), "sent")
    first, second = await mails.until(2)
    assert first.message["Message-ID"] == second.message["Message-ID"]


async def test_a_sender_that_was_paused_does_not_send_after_another_has(
    world: World, mails: MailServer, monkeypatch: Any
) -> None:
    """It finds its claim gone at the last moment at which the mail can be kept back."""
    paused, go_on = asyncio.Event(), asyncio.Event()
    real = SmtpTransport.send

    async def pausing(self: Any, message: Any, handing_over: Any) -> str:
        async def late() -> None:
            if not paused.is_set():
                paused.set()
                await go_on.wait()
            await handing_over()

        return await real(self, message, late)

    monkeypatch.setattr(SmtpTransport, "send", pausing)
    await world.replica(mails, send_seconds=20, claim_seconds=21)
    await world.session()
    run_id = await world.ended()
    await paused.wait()
    await world.pool.execute("UPDATE notifier.delivery SET claimed_until = now() - interval '1 second'")
    await world.replica(mails, send_seconds=20, claim_seconds=21)
    await world.until_status(run_id, "sent")
    go_on.set()
    await world.until_status(await world.ended(notify="always"), "sent")
    await mails.until(2)


async def test_a_sender_that_stops_finishes_what_it_sends(world: World, mails: MailServer) -> None:
    mails.slow("RCPT", 0.5)
    service = await world.replica(mails)
    await world.session()
    run_id = await world.ended(notify="always")
    await until(lambda: _attempts(world, run_id, 1))
    await service.stop()
    world.replicas.remove(service)
    await mails.until(1)
    await world.replica(mails)
    await world.until_status(run_id, "sent")
    await mails.until(1)


async def test_a_webhook_is_called_and_one_that_fails_for_a_while_gets_it_later_once(world: World) -> None:
    with hook_server() as hooks:
        hooks.answer(500, times=2)
        await world.replica()
        await world.ask(AddWebhook(owner=OWNER, webhook_id="whk_1", url=hooks.url()))
        found = await world.until_status(await world.ended("By hook."), "sent")
        calls = await hooks.until(3)
    assert {call.headers["webhook-id"] for call in calls} == {found.deliveries[0].id}
    assert [call.status for call in calls] == [500, 500, 204]
    told = calls[-1].json()
    assert told["type"] == "run.completed"
    assert told["data"]["run_id"] == found.run_id
    assert "By hook." in calls[-1].body.decode()
    assert told["data"]["url"] == f"https://ai.test/v1/runs/{found.run_id}"


async def test_a_webhook_that_never_answers_well_is_parked_and_can_be_tried_again(world: World) -> None:
    with hook_server() as hooks:
        hooks.answer(503, times=None)
        await world.replica()
        await world.ask(AddWebhook(owner=OWNER, webhook_id="whk_1", url=hooks.url()))
        found = await world.until_status(await world.ended(), "failed")
        assert found.deliveries[0].attempts == 4
        assert found.deliveries[0].error is not None
        assert found.deliveries[0].error.code == "webhook_status"
        hooks.forget()
        await world.ask(RetryNotification(owner=OWNER, notification_id=found.id))
        await world.until_status(found.run_id, "sent")


async def test_a_webhook_that_is_gone_is_switched_off(world: World) -> None:
    with hook_server() as hooks:
        hooks.answer(410)
        await world.replica()
        await world.ask(AddWebhook(owner=OWNER, webhook_id="whk_1", url=hooks.url()))
        await world.until_status(await world.ended(), "failed")
        second = await world.until_status(await world.ended(), "not_sent")
        assert second.reason is not None
        assert (second.reason.code, len(hooks.calls)) == ("no_channel", 1)


async def test_one_channel_that_fails_does_not_hold_up_the_other(world: World, mails: MailServer) -> None:
    with hook_server() as hooks:
        hooks.answer(500, times=None)
        await world.replica(mails)
        await world.session()
        await world.ask(AddWebhook(owner=OWNER, webhook_id="whk_1", url=hooks.url()))
        found = await world.until_status(await world.ended(), "sent")
    await mails.until(1)
    assert {each.channel: each.status for each in found.deliveries} == {"email": "sent", "webhook": "failed"}


async def test_everybody_is_told_what_became_of_it_once(world: World, mails: MailServer) -> None:
    told: list[NotificationEndedFact] = []

    async def hear(message: Any) -> None:
        told.append(NotificationEndedFact.model_validate_json(message.data))

    await world.bus.client.subscribe("evt.notifier.>", cb=hear)
    await world.replica(mails)
    await world.session()
    sent = await world.until_status(await world.ended(), "sent")
    kept = await world.until_status(await world.ended(notify="never"), "not_sent")

    async def all_told() -> bool:
        return len(told) >= 2

    await until(all_told)
    by_run = {fact.run_id: fact for fact in told}
    assert len(told) == 2
    assert (by_run[sent.run_id].outcome, by_run[sent.run_id].channel) == ("sent", "email")
    assert (by_run[kept.run_id].outcome, by_run[kept.run_id].reason) == ("not_sent", "policy_never")
    assert by_run[sent.run_id].owner == Owner(tenant="t", user="u")
