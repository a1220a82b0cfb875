"""What a mail says in its own words: values in, texts out."""

from contracts.message import Problem
from services.notifier.content import Content
from services.notifier.mail.amounts import duration
from services.notifier.mail.cleaning import one_line

SUBJECT_TITLE_CHARACTERS = 90
TITLE_CHARACTERS = 200
PROBLEM_CHARACTERS = 500

THINGS = {"chat": "your chat", "compare": "your comparison", "architect": "your assistant"}
PLACES = {"chat": "chat", "compare": "comparison", "architect": "run"}
"""What the link leads to."""
HEADLINES = {
    ("chat", "completed"): "Your answer is ready",
    ("chat", "failed"): "Your answer could not be finished",
    ("chat", "cancelled"): "Your answer was stopped",
    ("compare", "completed"): "Your comparison is done",
    ("compare", "failed"): "Your comparison failed",
    ("compare", "cancelled"): "Your comparison was stopped",
    ("architect", "completed"): "Your assistant has finished",
    ("architect", "failed"): "Your assistant could not finish",
    ("architect", "cancelled"): "Your assistant was stopped",
}
STATUSES = {
    "waiting": "not begun",
    "approval": "waits for you",
    "ready": "about to begin",
    "running": "running",
    "retrying": "being tried again",
    "completed": "done",
    "failed": "failed",
    "skipped": "skipped",
    "cancelled": "stopped",
}
TONES = {"completed": "good", "failed": "bad", "cancelled": "idle", "approval": "waits"}
"""How a status is coloured; any other is `idle`."""
MEANINGS = {
    "rate_limited": "The model's provider has refused more requests for now.",
    "timeout": "It took too long.",
    "unknown_model": "The model is not offered any more.",
}
"""Of codes that came without a sentence."""


def ending(content: Content) -> str:
    """How it ended, in a word or three."""
    if content.occasion == "approval":
        return "Waiting for you"
    return {"completed": "Done", "failed": "Failed", "cancelled": "Stopped"}.get(content.outcome or "", "Ended")


def tone(content: Content) -> str:
    """How the whole mail is coloured."""
    return TONES.get("approval" if content.occasion == "approval" else content.outcome or "", "idle")


def title_of(content: Content, limit: int = TITLE_CHARACTERS) -> str:
    """The title on one line, or what it is about if there is none."""
    return one_line(content.title, limit) or THINGS[content.kind]


def subject_of(content: Content) -> str:
    """What it is about and how it ended; one line, without anything that a header cannot have."""
    title, took = title_of(content, SUBJECT_TITLE_CHARACTERS), duration(content.duration_ms)
    if content.occasion == "approval":
        return f"Waiting for you: {title}"
    match content.outcome:
        case "completed":
            return f"Done: {title} ({took})" if took else f"Done: {title}"
        case "failed":
            return f"Failed after {took}: {title}" if took else f"Failed: {title}"
    return f"{ending(content)}: {title}"


def headline_of(content: Content) -> str:
    """What happened, as one sentence."""
    if content.occasion == "approval":
        step = one_line(content.step or "", TITLE_CHARACTERS)
        return f"A step waits for you: {step}" if step else "A step waits for you."
    return HEADLINES.get((content.kind, content.outcome or ""), "It has ended") + "."


def problem_of(problem: Problem | None) -> str:
    """What went wrong, as a sentence; nothing if nothing did."""
    if problem is None:
        return ""
    said = one_line(problem.message, PROBLEM_CHARACTERS) or MEANINGS.get(problem.code)
    return said or f"It failed: {one_line(problem.code.replace('_', ' '), PROBLEM_CHARACTERS) or 'nobody said why'}."


def status_of(status: str) -> str:
    """The status of a step or an answer in words."""
    return STATUSES.get(status) or one_line(status.replace("_", " "), 40) or "unknown"
