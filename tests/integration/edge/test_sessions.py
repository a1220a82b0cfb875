"""What the bus hears of who signs in, and what a bus that is away costs them: nothing."""

import json

from contracts import subjects
from contracts.chat_values import ConversationPage
from contracts.session import SessionBegunFact
from kit.auth.principal import Principal
from kit.auth.tokens import sign_token
from kit.bus.api import last_message
from kit.ids import new_id
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import AuthSettings
from tests.fixtures.own_edge import SECRET, TENANT, OwnEdge, own_edge
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem


def signed_in(user: str, email: str | None, name: str | None = None) -> dict[str, str]:
    token = sign_token(AuthSettings(secret=SECRET), tenant=TENANT, user=user, email=email, name=name)
    return {"authorization": f"Bearer {token}"}


async def told(edge: OwnEdge) -> tuple[int, SessionBegunFact]:
    """The newest fact, and its place in the stream."""
    message = await last_message(edge.bus, "EVENTS", subjects.SESSION_BEGUN)
    assert message is not None
    return message.sequence, SessionBegunFact.model_validate(json.loads(message.data))


async def test_who_comes_with_an_address_is_told_of_once(edge: OwnEdge) -> None:
    edge.answers["chat.list_conversations"] = lambda _: ConversationPage(items=())
    user = new_id("user")
    for email, name in [("ada@example.com", "Ada"), ("ada@localhost", "Ada"), ("ada@localhost", "Ada L.")]:
        headers = signed_in(user, email, name)
        assert (await edge.http.get("/v1/conversations", headers=headers)).status_code == 200
        place, fact = await told(edge)
        owner = Principal(TENANT, user)
        assert (fact.owner.tenant, fact.owner.user) == (owner.tenant_token, owner.user_token)
        assert (fact.email, fact.name) == (email, name)
        assert (await edge.http.get("/v1/conversations", headers=headers)).status_code == 200
        assert (await told(edge))[0] == place, "it is known"
    for headers in ({}, signed_in(user, None, "Ada"), {"authorization": "Bearer garbage"}):
        await edge.http.get("/v1/conversations", headers=headers)
    await edge.http.get("/healthz", headers=signed_in(user, "other@example.com"))
    assert (await told(edge))[0] == place, "nobody with an address has come"


async def test_the_local_user_has_the_address_of_the_settings_whatever_an_old_cookie_says(edge: OwnEdge) -> None:
    old = sign_token(AuthSettings(secret=SECRET), tenant="local", user="local", email="old@example.com")
    browser = {"sec-fetch-site": "same-origin", "cookie": f"studio_session={old}"}
    url = edge.gateway.settings.nats.url[0]
    async with own_edge(url, mode="local", allowed_hosts=("edge",), rpc_timeout_seconds=0.2) as local:
        del local.http.headers["authorization"]
        for headers in (browser, {}):
            await local.http.get("/v1/models", headers=headers)
            fact = (await told(local))[1]
            owner = Principal("local", "local")
            assert (fact.owner.tenant, fact.owner.user) == (owner.tenant_token, owner.user_token)
            assert (fact.email, fact.name) == ("user@localhost", None)


async def test_a_bus_that_is_away_refuses_nobody_and_is_told_later(own_nats: EmbeddedNats) -> None:
    async with own_edge(own_nats.url, rpc_timeout_seconds=0.2) as edge:
        await own_nats.stop()
        headers = signed_in("ada", "ada@example.com")
        for _ in range(3):
            assert_problem(await edge.http.get("/v1/conversations", headers=headers), 503, "unavailable")
        await own_nats.start()

        async def known() -> bool:
            await edge.http.get("/v1/conversations", headers=headers)
            return await last_message(edge.bus, "EVENTS", subjects.SESSION_BEGUN) is not None

        await until(known)
        assert (await told(edge))[1].email == "ada@example.com"
