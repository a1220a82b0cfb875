"""docs/compatibility.md says what the tests say."""

import subprocess
import sys

from tests.clients.compatibility import FEATURES, ROOT, page
from tests.clients.roster import CUT, STOP, STREAMS


def test_the_page_is_made_from_the_marks() -> None:
    command = [sys.executable, "-m", "tests.clients.compatibility", "--check"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_is_known_not_to_hold_has_its_reason_below() -> None:
    made = page({"one": {STREAMS: "", CUT: "it forgets"}, "two": {CUT: "it forgets", STOP: "there is none"}})
    rows = [line.split(" | ") for line in made.splitlines() if line.startswith(("| one", "| two"))]
    assert [row[1:3] for row in rows] == [["✓", "✗ (1)"], ["—", "✗ (1)"]]
    assert rows[1][1 + FEATURES.index(STOP)] == "✗ (2)"
    assert made.endswith("\n1. it forgets\n2. there is none\n")
