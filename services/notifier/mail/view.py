"""What the templates are given: texts that are clean and cut, amounts in words, answers as HTML."""

from typing import Any
from urllib.parse import quote, urlsplit

from services.notifier.content import Answer, Content, StepLine
from services.notifier.mail import wording
from services.notifier.mail.amounts import cost, duration
from services.notifier.mail.cleaning import clean, one_line
from services.notifier.mail.cutting import cut, shares
from services.notifier.mail.markdown import html_of, words_of

LABEL_CHARACTERS = 120
PREHEADER_CHARACTERS = 140
PREHEADER_SOURCE_CHARACTERS = 1_000
_IN_A_URL = "-._~:/?#[]@!$&'()*+,;=%"


def view_of(content: Content, limit: int, *, link: str, unsubscribe: str | None, name: str) -> dict[str, Any]:
    """All variables of the templates. `limit`: of characters that the answers have; `name`: of who sends it."""
    answers = _answers(content.answers, limit)
    instructions = clean(content.instructions or "").strip() if content.occasion == "approval" else ""
    problem = wording.problem_of(content.error)
    if len(answers) == 1 and problem == answers[0]["problem"]:
        answers[0]["problem"] = ""
    shown = cut(instructions, limit)
    return {
        "name": name,
        "title": wording.title_of(content),
        "subject": wording.subject_of(content),
        "ending": wording.ending(content),
        "tone": wording.tone(content),
        "headline": wording.headline_of(content),
        "preheader": _preheader(content, problem, instructions),
        "facts": _facts(content),
        "problem": problem,
        "instructions": shown,
        "instructions_html": html_of(shown),
        "instructions_cut": len(shown) < len(instructions),
        "answers": answers,
        "many": len(answers) > 1,
        "rest": "… the rest is behind the link." if web_address(link) else "… the rest is left out.",
        "steps": [_step(line) for line in content.steps],
        "approval": content.occasion == "approval",
        "place": wording.PLACES[content.kind],
        "link": web_address(link),
        "unsubscribe": web_address(unsubscribe or ""),
        "run_id": content.run_id,
    }


def web_address(text: str) -> str:
    """An address as it may be in a header and a link: ASCII without blanks. Nothing if it is not one of the web."""
    try:
        address = quote(text.strip(), safe=_IN_A_URL)
        known = urlsplit(address).scheme in {"http", "https"} and bool(urlsplit(address).netloc)
    except ValueError:  # half a surrogate pair, or brackets where none belong
        return ""
    return address if known else ""


def _answers(answers: tuple[Answer, ...], limit: int) -> list[dict[str, Any]]:
    texts = [clean(answer.text).strip("\n") for answer in answers]
    told = shares([len(text) for text in texts], limit)
    return [_answer(*each) for each in zip(answers, texts, told, strict=True)]


def _answer(answer: Answer, text: str, limit: int) -> dict[str, Any]:
    label, model = (one_line(said or "", LABEL_CHARACTERS) for said in (answer.label, answer.model))
    shown = cut(text, limit)
    return {
        "label": label or model,
        "model": model if label and model != label else "",
        "status": wording.status_of(answer.outcome),
        "tone": wording.TONES.get(answer.outcome, "idle"),
        "problem": wording.problem_of(answer.error),
        "text": shown,
        "html": html_of(shown),
        "cut": len(text) > limit,
    }


def _step(line: StepLine) -> dict[str, Any]:
    return {
        "title": one_line(line.title, LABEL_CHARACTERS) or "Untitled step",
        "status": wording.status_of(line.status),
        "tone": wording.TONES.get(line.status, "idle"),
        "model": one_line(line.model or "", LABEL_CHARACTERS),
        "duration": duration(line.duration_ms),
        "cost": cost(line.cost_usd),
        "problem": wording.problem_of(line.error),
    }


def _facts(content: Content) -> list[tuple[str, str]]:
    facts = (
        ("Duration", duration(content.duration_ms)),
        ("Model", one_line(content.model or "", LABEL_CHARACTERS)),
        ("Cost", cost(content.cost_usd)),
    )
    return [(name, value) for name, value in facts if value]


def _preheader(content: Content, problem: str, instructions: str) -> str:
    """What a list of mails shows behind the subject: the beginning of what the mail is for."""
    texts = (problem, instructions, *(answer.text for answer in content.answers))
    first = next((text for text in map(clean, texts) if text.strip()), "")
    words = words_of(html_of(first[:PREHEADER_SOURCE_CHARACTERS]))
    return one_line(words, PREHEADER_CHARACTERS) or wording.headline_of(content)
