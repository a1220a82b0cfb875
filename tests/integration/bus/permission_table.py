"""Who may publish and subscribe where: what is expected of services/permissions.py, written down a second time.

A service that is not named here has what is usual, and nothing that is another's.
"""

from kit.bus.streams import HEARD_FACTS
from services.permissions import permissions
from services.roster import ROSTER

USERS = tuple(permissions())
SERVICES = tuple(spec.name for spec in ROSTER)
EVERYBODY, NOBODY = frozenset(USERS), frozenset[str]()
ORCHESTRATORS = frozenset({"chat", "compare", "architect"})
CHAT_RUNS_ARE_HEARD_BY = {name.partition("-")[0] for name, fact in HEARD_FACTS.items() if fact == "evt.chat.run.*"}
"""And given up by, when they cannot be handled."""

MAY_PUBLISH = {
    "log.t.u.run_1.main": ORCHESTRATORS | {"inference"},
    "log.t.u.run_1.run": ORCHESTRATORS,
    "live.t.u.run_1.main": NOBODY,
    "work.inference.generate.chat": ORCHESTRATORS,
    "work.architect.step.start": {"architect"},
    "timer.at.run_1.s1": {"architect"},
    "timer.due.architect": NOBODY,
    "evt.inference.generation.completed": ORCHESTRATORS | {"inference"},
    "evt.chat.run.completed": {"chat"},
    "evt.compare.comparison.voted": {"compare"},
    "evt.architect.assistant.saved": {"architect"},
    "evt.edge.session.begun": {"edge"},
    "evt.notifier.notification.sent": {"notifier"},
    "evt.somebody.thing.happened": NOBODY,
    "dead.work.inference.generate.chat": {"inference"},
    "dead.evt.chat.run.completed": CHAT_RUNS_ARE_HEARD_BY,
    "rpc.chat.send_message": {"edge"},
    "rpc.chat.get_run": {"edge", "notifier"},
    "rpc.architect.save_assistant": {"edge"},
    "rpc.notifier.add_webhook": {"edge"},
    "rpc.inference.list_models": {"edge"} | ORCHESTRATORS,
    **{f"rpc.{name}.health": {"edge", name} for name in SERVICES if name != "edge"},
    "control.cancel.t.u.run_1.main": ORCHESTRATORS,
    "control.presence.t.u.run_1": {"notifier"},
    "deliver.architect-steps": NOBODY,
    "_INBOX.chat.x": NOBODY,
    "$JS.API.STREAM.INFO.RUNS": ORCHESTRATORS | {"edge", "inference", "declare"},
    "$JS.API.STREAM.DELETE.RUNS": NOBODY,
    "$JS.API.STREAM.CREATE.RUNS": {"declare"},
    "$JS.API.STREAM.CREATE.MINE": NOBODY,
    "$JS.API.STREAM.PURGE.RUNS": ORCHESTRATORS,
    "$JS.API.STREAM.PURGE.EVENTS": NOBODY,
    "$JS.API.STREAM.MSG.GET.RUNS": ORCHESTRATORS | {"edge", "inference"},
    "$JS.API.STREAM.MSG.DELETE.RUNS": NOBODY,
    "$JS.API.DIRECT.GET.RUNS": ORCHESTRATORS | {"edge", "inference"},
    "$JS.API.DIRECT.GET.EVENTS": NOBODY,
    "$JS.API.DIRECT.GET.WORK": NOBODY,
    "$JS.API.CONSUMER.CREATE.EVENTS.mine.evt.>": NOBODY,
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.mine": NOBODY,
    "$JS.API.CONSUMER.DURABLE.CREATE.WORK.inference": {"declare"},
    "$JS.API.CONSUMER.DELETE.WORK.inference": NOBODY,
    "$JS.API.CONSUMER.MSG.NEXT.WORK.inference": {"inference"},
    "$JS.ACK.WORK.inference.1.1.1.1.0": {"inference"},
    "$JS.ACK.EVENTS.notifier-sessions.1.1.1.1.0": {"notifier"},
    "$O.blobs.C.x": EVERYBODY - {"declare", "analyst"},
}
"""Who may; everybody else is refused."""

MAY_SUBSCRIBE = {
    ">": NOBODY,
    "log.>": NOBODY,
    "live.t.u.run_1.*": {"edge"},
    "evt.>": {"analyst"},
    "evt.chat.run.*": {"analyst"},
    "work.>": NOBODY,
    "rpc.chat.send_message": {"chat"},
    "rpc.inference.list_models": {"inference"},
    "control.*.t.u.run_1.main": {"inference"},
    "control.presence.t.u.run_1": {"edge"},
    "deliver.architect-steps": {"architect"},
    "deliver.notifier-sessions": {"notifier"},
    "deliver.chat-generation-ended": {"chat"},
    "_INBOX.>": NOBODY,
    "$JS.EVENT.>": NOBODY,
    "$SYS.>": NOBODY,
    **{f"_INBOX.{user}.x": {user} for user in USERS},
}
