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
MESSAGE_RATED = "evt.chat.message.rated"
COMPARE_RUN_CREATED = "evt.compare.run.created"
COMPARE_RUN_ENDED = "evt.compare.run.{outcome}"
COMPARISON_VOTED = "evt.compare.comparison.voted"
COMPARISON_DELETED = "evt.compare.comparison.deleted"

# Messages that were given up (stream DEAD): the original subject behind "dead.".
DEAD = "dead.{subject}"

# Request and reply, one queue group per service.
RPC = "rpc.{service}.{verb}"

# Control: only the interested party subscribes; "no responders" is an answer too.
CANCEL = "control.cancel.{tenant}.{user}.{run}.{lane}"
PING = "control.ping.{tenant}.{user}.{run}.{lane}"
CONTROL = "control.*.{tenant}.{user}.{run}.{lane}"

ALL_LANES = "*"
ALL_GENERATES = GENERATE.format(work_class=">")
ALL_LOGS, ALL_LIVE = "log.>", "live.>"

STREAM_SUBJECTS: dict[str, tuple[str, ...]] = {
    "RUNS": (ALL_LOGS,),
    "WORK": ("work.>",),
    "EVENTS": ("evt.>",),
    "DEAD": ("dead.>",),
}
"""Which stream owns which subjects; a subject under none of them is not stored."""

STREAMS_ARE_FOR: dict[str, str] = {
    "RUNS": "The run logs. Each message is republished under `live.` once it is stored.",
    "WORK": "Commands that must happen. Each is kept until one worker has done it.",
    "EVENTS": "Facts in the past tense, kept for 30 days: for other services, and for anybody who subscribes.",
    "DEAD": "Messages that were given up, with the reason and their own headers in the header.",
}

SUBJECTS_ARE_FOR: dict[str, str] = {
    LOG: "One lane of a run's log: `run` is the orchestrator's, every other lane is one generation.",
    LIVE: "The same, the moment it is stored: what watchers subscribe to.",
    GENERATE: "The order to produce one answer.",
    GENERATION_ENDED: "A generation has its ending in the log.",
    CHAT_RUN_CREATED: "A chat run was accepted.",
    CHAT_RUN_ENDED: "A chat run ended and its result is stored.",
    CONVERSATION_CREATED: "A conversation began.",
    CONVERSATION_DELETED: "A conversation was deleted.",
    MESSAGE_RATED: "An answer was rated up or down.",
    COMPARE_RUN_CREATED: "A comparison was accepted.",
    COMPARE_RUN_ENDED: "A comparison ended and its answers are stored.",
    COMPARISON_VOTED: "The owner of a comparison said which answer is best.",
    COMPARISON_DELETED: "A comparison was deleted.",
    DEAD: "A message that was given up, under its own subject.",
    RPC: "Requests to a service, which are answered. One of its replicas takes each.",
    CANCEL: "Request: stop this generation. Its worker answers when it has; no responders means that none is at it.",
    PING: "Request: is a worker at this generation? Answered only by one that is.",
    CONTROL: "What a worker hears while it is at a generation.",
}


def stream_of(subject: str) -> str | None:
    """The stream that stores a subject; None for request/reply, live and control subjects."""
    for stream, patterns in STREAM_SUBJECTS.items():
        if any(subject.startswith(pattern.removesuffix(">")) for pattern in patterns):
            return stream
    return None
