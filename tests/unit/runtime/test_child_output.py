import asyncio
import os
from pathlib import Path

import pytest

from kit.runtime import output
from kit.runtime.output import LineReader, LogFile, Terminal


async def test_lines_arrive_whole_and_the_last_one_too() -> None:
    reading, writing = os.pipe()
    lines: list[str] = []
    reader = LineReader(reading, lines.append)
    os.write(writing, b"one\ntw")
    await asyncio.sleep(0)
    os.write(writing, "o ж\nthree".encode())
    os.close(writing)
    reader.close()
    assert lines == ["one", "two ж", "three"]


async def test_a_line_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LINE_BYTES", 10)
    reading, writing = os.pipe()
    lines: list[str] = []
    reader = LineReader(reading, lines.append)
    os.write(writing, b"x" * 50)
    reader.drain()
    assert lines == ["x" * 50]
    os.close(writing)
    reader.close()


def test_a_log_file_is_bounded_and_keeps_the_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chat.log"
    path.write_text("last run\n")
    log = LogFile(path)
    assert (tmp_path / "chat.log.1").read_text() == "last run\n"
    monkeypatch.setattr(output, "FILE_BYTES", 10)
    for number in range(6):
        log.write(f"line {number}")
    log.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 60
    assert path.read_text().endswith("line 5\n")


def test_a_log_file_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "no" / "folder" / "chat.log")
    log.write("text")
    log.close()


def test_a_terminal_that_is_held_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "FLUSH_SECONDS", 0.05)
    reading, writing = os.pipe()  # nobody reads: it is full after 64 KiB
    terminal = Terminal(writing)
    for _ in range(output.TERMINAL_LINES * 2):
        terminal.write("x" * 100)
    terminal.close()
    os.close(reading)  # the thread that waits in write gets EPIPE and ends
    os.close(writing)
