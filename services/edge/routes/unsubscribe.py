"""No more e-mail: the link in every mail, for people, and for mail programs with one click (RFC 8058).

Whoever has the token may: nobody has to be signed in. Looking changes nothing, since mail scanners follow every link.
"""

from fastapi import APIRouter, Response

from contracts.ids import is_id
from contracts.notifier import Unsubscribe
from contracts.notifier_values import Unsubscribed
from kit.bus.rpc import Unavailable
from kit.refusal import Refused
from services.edge import unsubscribe_page as page
from services.edge.depends import TheGateway

router = APIRouter(prefix="/unsubscribe/{token}", tags=["notifications"])

UNKNOWN = frozenset({"unknown_token"})


@router.get("", response_model=None, responses=page.DOCUMENTED)
async def ask_first(token: str) -> Response:
    """A page with a button. It changes nothing, and does not say whether the token is known."""
    return page.question() if is_id(token) else page.unknown()


@router.post("", response_model=None, responses=page.DOCUMENTED)
async def unsubscribe(token: str, gateway: TheGateway) -> Response:
    """Send no more e-mail to whom this token was sent. Whatever comes as the body: mail programs differ.

    Asked again it says the same.
    """
    if not is_id(token):
        return page.unknown()
    try:
        done: Unsubscribed = await gateway.ask(Unsubscribe(token=token))
    except Unavailable:
        return page.away()
    except Refused as refused:
        return page.unknown() if refused.problem.code in UNKNOWN else page.away()
    return page.done(done.address)
