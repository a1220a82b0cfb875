"""Makes docs/compatibility.md from the marks of the tests: `python -m tests.clients.compatibility`.

A cell is what a test says that is marked with `compat(client, feature)`: it holds, or it is known not to, and why. What
is marked as failing must fail (strict), so that neither can go stale.
"""

import contextlib
import io
import sys
from pathlib import Path

import pytest

from tests.clients.roster import FEATURES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "compatibility.md"

HEAD = """\
# Compatibility

Which client can do what. This page is made from the marks of the tests in [tests/clients/](../tests/clients/) (renew it
with `task docs:compatibility`); each ✓ is a test that drives the real package against a running stack and compares the
text exactly with what the model was told to say. How to use each: [clients.md](clients.md).

"""
LEGEND = """
- ✓: a test holds it. ✗: known not to work, with the reason below. —: the protocol or the client has no such thing.
- **{cut}**: a proxy ends or resets several connections of each answer at bytes drawn from a seed.
- **{killed}**: all clients lose the same edge in mid-answer and go on through another.
- **{late}**: the client is gone when the answer ends, and is told the whole of it when it comes back.
- **{stop}**: the model's server sees its connection closed, and what was written is kept.
- Chat completions have no cursor: a client that lost its connection, or comes late, sends its request again with the
  same `Idempotency-Key` and is told the same answer from its start. Without a key an abandoned one is stopped.
- The AI SDK resumes as its documentation says, and meets the errors of a browser. Version 4 drops what it has of the
  answer before it resumes, as a page does that is loaded anew.
- **{unknown}**: somebody else's conversation or run answers exactly like one that does not exist.
"""


class Collector:
    """A plugin of pytest that keeps what is marked."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[str, str]] = {}
        """By client and feature: why it does not hold, empty if it does."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            failing = item.get_closest_marker("xfail")
            for mark in item.iter_markers("compat"):
                client, feature = str(mark.kwargs["client"]), str(mark.kwargs["feature"])
                if feature not in FEATURES:
                    raise ValueError(f"{item.nodeid}: there is no feature {feature!r}")
                reason = str(failing.kwargs["reason"]) if failing else ""
                features = self.cells.setdefault(client, {})
                features[feature] = features.get(feature) or reason


def collect() -> dict[str, dict[str, str]]:
    """The cells, in the order of the tests. In a process of its own: pytest cannot be run inside pytest."""
    collector, told = Collector(), io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)], [collector])
    if code != 0:
        raise SystemExit(told.getvalue())
    return collector.cells


def page(cells: dict[str, dict[str, str]]) -> str:
    """The Markdown."""
    reasons: list[str] = []
    lines = [f"| client | {' | '.join(FEATURES)} |", f"|---|{':---:|' * len(FEATURES)}"]
    for client, features in cells.items():
        shown = []
        for feature in FEATURES:
            reason = features.get(feature)
            if reason:
                if reason not in reasons:
                    reasons.append(reason)
                shown.append(f"✗ ({reasons.index(reason) + 1})")
            else:
                shown.append("—" if reason is None else "✓")
        lines.append(f"| {client} | {' | '.join(shown)} |")
    table = "\n".join(lines) + "\n"
    names = {
        "cut": FEATURES[1],
        "killed": FEATURES[2],
        "late": FEATURES[3],
        "stop": FEATURES[4],
        "unknown": FEATURES[-1],
    }
    notes = "".join(f"{number}. {reason}\n" for number, reason in enumerate(reasons, start=1))
    return HEAD + table + LEGEND.format(**names) + (f"\n{notes}" if notes else "")


def main() -> None:
    """Write the page, or with `--check` see whether it is the one that is there."""
    made = page(collect())
    if "--check" not in sys.argv:
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made:
        raise SystemExit("docs/compatibility.md is not what the tests say; run `task docs:compatibility`")


if __name__ == "__main__":
    main()
