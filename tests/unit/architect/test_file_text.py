"""The text of files: found by a process of its own, which hurts nobody if a file is bad."""

import asyncio
import base64
import json

import pytest

from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import file_text
from services.architect.file_text import FileReaders, decoded, ending_of, media_type_of
from tests.fixtures import documents

LIMITS = ArchitectSettings(file_seconds=30)
ENDLESS = (
    b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [2 0 R] /Count 1 >>\n"
)


async def text(data: bytes, name: str, media_type: str = "", limits: ArchitectSettings = LIMITS) -> str:
    return await FileReaders(limits).text(name, ending_of(name, media_type), data)


async def refusal(data: bytes, name: str, limits: ArchitectSettings = LIMITS) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await text(data, name, limits=limits)
    return caught.value.problem.code, caught.value.problem.message


async def test_an_ending_is_better_than_a_type_and_a_type_than_nothing() -> None:
    assert ending_of("a.pdf", "text/plain") == ".pdf"
    assert ending_of("a", "application/pdf; x=y") == ".pdf"
    assert ending_of("a", "nonsense") == ""
    assert media_type_of("a.pdf", "") == media_type_of("a.pdf", "application/octet-stream") == "application/pdf"
    assert media_type_of("a.pdf", "Text/Plain; charset=x") == "text/plain"
    assert media_type_of("a.md", "") == "text/markdown"
    assert media_type_of("a", "") == "application/octet-stream"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.txt", "empty"),
        (documents.pdf("Hello")[:80], "a.pdf", "damaged"),
        (documents.docx("Hello")[:200], "a.docx", "damaged"),
        (ENDLESS, "endless.pdf", "damaged"),
    ],
    ids=["empty", "half a pdf", "half a docx", "endless"],
)
async def test_what_cannot_be_read_says_why(data: bytes, name: str, said: str) -> None:
    code, message = await refusal(data, name)
    assert code == "file_unreadable"
    assert name in message
    assert said in message


async def test_a_document_is_read_in_a_process_of_its_own() -> None:
    assert (await text(documents.docx("Première page", "second"), "a.docx")).strip() == "Première page\nsecond"


async def test_too_much_text_and_too_many_bytes() -> None:
    narrow = LIMITS.model_copy(update={"max_file_characters": 10, "max_file_bytes": 12})
    assert await text(b"ten signs!", "a.txt", limits=narrow) == "ten signs!"
    assert (await refusal(b"ten signs!!", "a.txt", narrow))[0] == "file_too_large"
    assert decoded(base64.b64encode(b"x" * 12).decode(), narrow) == b"x" * 12
    for data, code in ((b"x" * 13, "file_too_large"), (b"x" * 40, "file_too_large")):
        with pytest.raises(Refused) as caught:
            decoded(base64.b64encode(data).decode(), narrow)
        assert caught.value.problem.code == code
    with pytest.raises(Refused, match="not base64"):
        decoded("no base64!", narrow)


def program(monkeypatch: pytest.MonkeyPatch, folder: str, code: str) -> None:
    """A reader that misbehaves in the reader's place."""
    path = f"{folder}/reader.py"
    with open(path, "w") as file:  # noqa: PTH123
        file.write(code)
    monkeypatch.setattr(file_text, "PROGRAM", path)


async def test_one_that_takes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    program(monkeypatch, str(tmp_path), "import time\nwhile True: time.sleep(1)")
    code, message = await refusal(b"x" * 1_000_000, "a.pdf", LIMITS.model_copy(update={"file_seconds": 0.3}))
    assert code == "file_unreadable"
    assert "longer than 0.3 seconds" in message


async def test_one_that_takes_all_memory_ends_alone() -> None:
    hungry = "from services.architect.file_reading import _limit\n_limit(300_000_000, 60)\nx = b'x' * 2_000_000_000"
    import sys

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", hungry, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert b"MemoryError" in errors


@pytest.mark.parametrize("code", ["print('x' * 10_000_000)", "import os; os.abort()", "print('[1]')", ""])
async def test_one_that_talks_nonsense_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, code: str
) -> None:
    program(monkeypatch, str(tmp_path), code)
    narrow = LIMITS.model_copy(update={"max_file_characters": 1000})
    assert (await refusal(b"x", "a.pdf", narrow))[0] == "file_unreadable"


async def test_it_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("STUDIO_SECRET", "s3cret")
    code = "import json, os\nt = repr(dict(os.environ))\nprint(json.dumps({'characters': len(t), 'text': t}))"
    program(monkeypatch, str(tmp_path), code)
    assert "s3cret" not in await text(b"x", "a.pdf")


async def test_only_a_few_read_at_the_same_time(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    at_once, most = 0, 0
    whole = FileReaders._read

    async def counted(self: FileReaders, name: str, ending: str, data: bytes) -> object:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await whole(self, name, ending, data)
        finally:
            at_once -= 1

    monkeypatch.setattr(FileReaders, "_read", counted)
    program(monkeypatch, str(tmp_path), f"print({json.dumps(json.dumps({'characters': 1, 'text': 'x'}))})")
    readers = FileReaders(LIMITS.model_copy(update={"file_readers": 2}))
    assert await asyncio.gather(*(readers.text("a", "", b"x") for _ in range(6))) == ["x"] * 6
    assert most == 2
