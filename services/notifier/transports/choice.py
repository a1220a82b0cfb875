"""Which way e-mails go out."""

from kit.settings import Settings
from services.notifier.mail.addresses import check_sender
from services.notifier.transports.file import FileTransport
from services.notifier.transports.ses import SesTransport
from services.notifier.transports.smtp import SmtpTransport
from services.notifier.transports.transport import Transport


def make_transport(settings: Settings) -> Transport | None:
    """The transport of the settings; None: e-mail is off. Raises StartError for a sender that nobody can be."""
    wanted = settings.notifier
    if wanted.email == "off":
        return None
    check_sender(wanted)
    match wanted.email:
        case "file":
            return FileTransport(wanted.mail_dir or settings.data_dir / "mail")
        case "smtp":
            return SmtpTransport(wanted)
        case "ses":
            return SesTransport(wanted)
