"""Every subject on the bus, on one page. Templates work with `str.format` and as FastStream paths."""

# The run log (stream RUNS), republished to LIVE once stored.
LOG = "log.{tenant}.{user}.{run}.{lane}"
LIVE = "live.{tenant}.{user}.{run}.{lane}"

# Commands that must happen (stream WORK, each handled once).
GENERATE = "work.inference.generate.{work_class}"
START_STEP = "work.architect.step.start"

# Timers (stream TIMERS): a message waits under TIMER, and is stored under its own subject when its time has come.
TIMER = "timer.at.{timer}"
ARCHITECT_TIME_IS_UP = "timer.due.architect"

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
ASSISTANT_SAVED = "evt.architect.assistant.saved"
ASSISTANT_DELETED = "evt.architect.assistant.deleted"
ARCHITECT_RUN_CREATED = "evt.architect.run.created"
ARCHITECT_RUN_ENDED = "evt.architect.run.{outcome}"
ARCHITECT_STEP_ENDED = "evt.architect.step.{outcome}"
APPROVAL_REQUESTED = "evt.architect.approval.requested"
SESSION_BEGUN = "evt.edge.session.begun"
NOTIFICATION_ENDED = "evt.notifier.notification.{outcome}"

# Messages that were given up (stream DEAD): the original subject behind "dead.".
DEAD = "dead.{subject}"

# Request and reply, one queue group per service.
RPC = "rpc.{service}.{verb}"

# Control: only the interested party subscribes; "no responders" is an answer too.
CANCEL = "control.cancel.{tenant}.{user}.{run}.{lane}"
PING = "control.ping.{tenant}.{user}.{run}.{lane}"
CONTROL = "control.*.{tenant}.{user}.{run}.{lane}"
PRESENCE = "control.presence.{tenant}.{user}.{run}"

# Where the server hands orders to the replicas of a service, each to one of them.
DELIVERIES = "deliver.{consumer}"

ALL_LANES = "*"
ALL_GENERATES = GENERATE.format(work_class=">")
ALL_LOGS, ALL_LIVE = "log.>", "live.>"

STREAM_SUBJECTS: dict[str, tuple[str, ...]] = {
    "RUNS": (ALL_LOGS,),
    "WORK": ("work.>",),
    "EVENTS": ("evt.>",),
    "DEAD": ("dead.>",),
    "TIMERS": ("timer.>",),
}
"""Which stream owns which subjects; a subject under none of them is not stored."""

STREAMS_ARE_FOR: dict[str, str] = {
    "RUNS": "The run logs. Each message is republished under `live.` once it is stored.",
    "WORK": "Commands that must happen. Each is kept until one worker has done it.",
    "EVENTS": "Facts in the past tense, kept for 30 days: for other services, and for anybody who subscribes.",
    "DEAD": "Messages that were given up, with the reason and their own headers in the header.",
    "TIMERS": "Messages that wait for their time, and those whose time has come.",
}

SUBJECTS_ARE_FOR: dict[str, str] = {
    LOG: "One lane of a run's log: `run` is the orchestrator's, every other lane is one generation.",
    LIVE: "The same, the moment it is stored: what watchers subscribe to.",
    GENERATE: "The order to produce one answer.",
    START_STEP: "The order to begin a step of an assistant's run.",
    TIMER: "A message that waits for its time, under the name of its timer.",
    ARCHITECT_TIME_IS_UP: "A moment has come that an assistant's run was waiting for.",
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
    ASSISTANT_SAVED: "An assistant was made or changed.",
    ASSISTANT_DELETED: "An assistant was deleted.",
    ARCHITECT_RUN_CREATED: "A run of an assistant was accepted.",
    ARCHITECT_RUN_ENDED: "A run of an assistant ended and its outputs are stored.",
    ARCHITECT_STEP_ENDED: "A step of an assistant's run ended.",
    APPROVAL_REQUESTED: "A step of an assistant's run waits until somebody approves it.",
    SESSION_BEGUN: "Somebody has signed in, and this is the verified address to tell him of his runs.",
    NOTIFICATION_ENDED: "A notification was sent, was given up, or is not sent.",
    DEAD: "A message that was given up, under its own subject.",
    RPC: "Requests to a service, which are answered. One of its replicas takes each.",
    CANCEL: "Request: stop this generation. Its worker answers when it has; no responders means that none is at it.",
    PING: "Request: is a worker at this generation? Answered only by one that is.",
    CONTROL: "What a worker hears while it is at a generation.",
    PRESENCE: "Request: does somebody watch this run? Edges that show it answer; no responders means that nobody does.",
    DELIVERIES: "Where the server hands orders to the handlers of a service. The streams are where to look for them.",
}


def stream_of(subject: str) -> str | None:
    """The stream that stores a subject; None for request/reply, live and control subjects."""
    for stream, patterns in STREAM_SUBJECTS.items():
        if any(subject.startswith(pattern.removesuffix(">")) for pattern in patterns):
            return stream
    return None
