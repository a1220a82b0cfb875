"""What notifier does with requests about what a user wants to hear."""

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner
from contracts.notifier import GetPreferences, Unsubscribe, UpdatePreferences
from contracts.notifier_values import Preferences, Unsubscribed
from kit.db.database import Database
from kit.refusal import Refused
from kit.settings import NotifierSettings
from services.notifier import contact_store, shown

CHANGEABLE = ("policy", "longer_than_seconds", "email", "webhook")


class PreferenceHandlers:
    """Show and change preferences."""

    def __init__(self, database: Database, limits: NotifierSettings, *, mail: bool) -> None:
        """`mail`: whether e-mail is a channel at all."""
        self._database, self._limits, self._mail = database, limits, mail

    async def on_get_preferences(self, request: GetPreferences) -> Preferences:
        """What holds for a user."""
        return await self._database.run(lambda session: self._shown(session, request.owner))

    async def on_update_preferences(self, command: UpdatePreferences) -> Preferences:
        """Change what is given."""

        async def work(session: AsyncSession) -> Preferences:
            row = await contact_store.changed_preference(session, command.owner)
            for name in CHANGEABLE:
                if (value := getattr(command, name)) is not None:
                    setattr(row, name, value)
            contact = await contact_store.contact(session, command.owner)
            if command.email and contact is not None:
                contact.refused = None
            await session.flush()
            return await self._shown(session, command.owner)

        return await self._database.run(work)

    async def on_unsubscribe(self, command: Unsubscribe) -> Unsubscribed:
        """No more e-mail to whom this token was sent."""

        async def work(session: AsyncSession) -> Unsubscribed:
            contact = await contact_store.by_token(session, command.token)
            if contact is None:
                raise Refused("unknown_token", "This link is not known: it is incomplete, or the address is no user's.")
            owner = Owner(tenant=contact.tenant, user=contact.user)
            (await contact_store.changed_preference(session, owner)).email = False
            return Unsubscribed(address=masked(contact.email))

        return await self._database.run(work)

    async def _shown(self, session: AsyncSession, owner: Owner) -> Preferences:
        preference, contact = await contact_store.known(session, owner)
        return shown.preferences(preference, contact, self._limits, mail=self._mail)


def masked(address: str) -> str:
    """An address that its owner knows again and a stranger does not learn."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
