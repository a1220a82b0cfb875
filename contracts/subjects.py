"""Every subject on the bus, on one page. Templates work with `str.format` and as FastStream paths."""

# The run log (stream RUNS), republished to LIVE once stored.
LOG = "log.{tenant}.{user}.{run}.{lane}"
LIVE = "live.{tenant}.{user}.{run}.{lane}"

# Commands that must happen (stream WORK, each handled once).
GENERATE = "work.inference.generate.{work_class}"

# Facts, in the past tense (stream EVENTS): evt.<service>.<noun>.<verb>
GENERATION_ENDED = "evt.inference.generation.{outcome}"
CHAT_RUN_CREATED = "evt.chat.run.created"
CHAT_RUN_ENDED = "evt.chat.run.{outcome}"
CONVERSATION_CREATED = "evt.chat.conversation.created"
CONVERSATION_DELETED = "evt.chat.conversation.deleted"

# Messages that were given up (stream DEAD): the original subject behind "dead.".
DEAD = "dead.{subject}"

# Request and reply, one queue group per service.
RPC = "rpc.{service}.{verb}"

# Control: only the interested party subscribes; "no responders" is an answer too.
CANCEL = "control.cancel.{tenant}.{user}.{run}.{lane}"
PING = "control.ping.{tenant}.{user}.{run}.{lane}"
CONTROL = "control.*.{tenant}.{user}.{run}.{lane}"

ALL_LANES = "*"

STREAM_SUBJECTS: dict[str, tuple[str, ...]] = {
    "RUNS": ("log.>",),
    "WORK": ("work.>",),
    "EVENTS": ("evt.>",),
    "DEAD": ("dead.>",),
}
"""Which stream owns which subjects; a subject under none of them is not stored."""


def stream_of(subject: str) -> str | None:
    """The stream that stores a subject; None for request/reply, live and control subjects."""
    for stream, patterns in STREAM_SUBJECTS.items():
        if any(subject.startswith(pattern.removesuffix(">")) for pattern in patterns):
            return stream
    return None
