"""The addresses in mails and webhooks, which are those at which users reach the edge."""

from kit.runtime.errors import StartError
from kit.settings import Settings
from services.notifier.content import Content


class Links:
    """Makes links by the settings. Raises StartError for a template that names what is not known."""

    def __init__(self, settings: Settings) -> None:
        edge = settings.edge
        self._base = (settings.public_url or f"http://{edge.host}:{edge.port}").rstrip("/")
        self._template = settings.notifier.link
        try:
            self._filled("chat_1", "chat", "conv_1", "asst_1")
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise StartError(f"STUDIO_NOTIFIER_LINK cannot be filled in: {error!r}") from None

    def to_run(self, content: Content) -> str:
        """Where the whole of it is."""
        return self._filled(content.run_id, content.kind, content.conversation_id or "", content.assistant_id or "")

    def to_unsubscribe(self, token: str) -> str:
        """Where one click ends all e-mails."""
        return f"{self._base}/unsubscribe/{token}"

    def _filled(self, run_id: str, kind: str, conversation_id: str, assistant_id: str) -> str:
        return self._template.format(
            public_url=self._base,
            run_id=run_id,
            kind=kind,
            conversation_id=conversation_id,
            assistant_id=assistant_id,
        )
