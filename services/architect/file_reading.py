"""Finds the text of one file, as a program of its own: `python -I file_reading.py ENDING CHARACTERS BYTES SECONDS`.

The file comes through standard input, one line of JSON goes to standard output. A file that was made to do harm harms
this process only: it has no settings, no secrets, little memory and little time. It imports nothing of ours.
"""

import codecs
import csv
import io
import json
import math
import resource
import sys
from typing import Any

DOCUMENTS = frozenset({".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".rtf", ".html", ".htm"})
"""What the library reads; anything else is text or unreadable."""
READABLE = "PDF, Word (.docx), Excel (.xlsx), PowerPoint (.pptx), OpenDocument text, RTF, HTML, and texts of all kinds"
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
GUESSED_FROM_BYTES = 64
MAX_CONTROL_SHARE = 0.05
"""Of the characters of a text: a picture that is called a text has more."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableError(Exception):
    """A sentence for people: why, and what they can do."""


def main() -> None:
    """Read, and tell what was found."""
    ending, characters, memory, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    _limit(memory, seconds)
    try:
        text = text_of(sys.stdin.buffer.read(), ending)
        told: dict[str, Any] = {"characters": len(text), "text": text if len(text) <= characters else ""}
    except UnreadableError as problem:
        told = {"problem": str(problem)}
    except (MemoryError, RecursionError):
        told = {"problem": "Reading it takes more memory than a file may. Split it, or save it as plain text."}
    except Exception as error:
        told = {"problem": "It is damaged, or not of the kind that its name says. Open it and save it anew."}
        print(repr(error)[:500], file=sys.stderr)  # noqa: T201  (for the service's log)
    sys.stdout.write(json.dumps(told))


def _limit(memory: int, seconds: float) -> None:
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, math.ceil(seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (limit, limit))
        except (ValueError, OSError):  # macOS has no limit of the address space; the time limit holds there as well
            continue


def text_of(data: bytes, ending: str) -> str:
    """The text of a file. Raises UnreadableError, and whatever a broken file makes of the library."""
    if not data.strip():
        raise UnreadableError("It is empty.")
    if data.startswith(b"%PDF-"):
        ending = ".pdf"
    text = _document(data, ending) if ending in DOCUMENTS else _plain(data)
    text = text.replace("\x00", "")
    if not text.strip():
        scanned = " Scanned pages are pictures: run a text recognition (OCR) over it first." if ending == ".pdf" else ""
        raise UnreadableError(f"There is no text in it.{scanned}")
    return text


def _document(data: bytes, ending: str) -> str:
    import sharepoint2text as library

    if data.startswith(_OLE):
        raise UnreadableError("It is protected by a password, or in an old format. Save it without, in the new one.")
    limits = library.ZipBombLimits(
        max_total_uncompressed_bytes=MAX_UNPACKED_BYTES, max_single_uncompressed_bytes=MAX_UNPACKED_BYTES
    )
    try:
        found = library.read_bytes(
            data, extension=ending, ignore_images=True, include_attachments=False, zip_bomb_limits=limits
        )
        return "\n\n".join(_told(document) for document in found)
    except library.ExtractionFileEncryptedError as error:
        raise UnreadableError("It is protected by a password. Save it without one.") from error
    except library.ExtractionZipBombError as error:
        raise UnreadableError("Unpacked it is far larger than a document may be.") from error
    except library.ExtractionError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from error
        raise


def _told(document: Any) -> str:
    """Sheets as CSV, which is shorter than a drawn table and leaves no doubt; slides with their numbers."""
    kinds = {unit.kind for unit in document.units}
    if kinds == {"sheet"}:
        return "\n\n".join(f"## {unit.title or unit.number}\n\n{_rows(unit)}" for unit in document.units)
    if kinds == {"slide"}:
        return "\n\n".join(f"## Slide {unit.number}\n\n{unit.text.strip()}" for unit in document.units if unit.text)
    return str(document.full_text)


def _rows(unit: Any) -> str:
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    for table in unit.tables:
        lines.writerows(table.rows)
    return written.getvalue() if unit.tables else str(unit.text)


def _plain(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data.decode(encoding, "replace"))
    try:
        return _checked(data.decode())
    except UnicodeDecodeError:
        pass
    if b"\x00" in data[:4096]:
        raise UnreadableError(f"It is not of a kind that can be read: {READABLE}.")
    return _checked(_guessed(data))


def _guessed(data: bytes) -> str:
    """A text of the days before Unicode. A short one says too little of its encoding: it is taken as Western, as
    browsers take it.
    """
    from charset_normalizer import from_bytes

    if len(data) < GUESSED_FROM_BYTES:
        return data.decode("cp1252", "replace")
    wide = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"]  # these have marks, or zeros
    best = from_bytes(data, cp_exclusion=wide).best()
    if best is None:
        raise UnreadableError(f"It is not of a kind that can be read: {READABLE}.")
    return str(best)


def _checked(text: str) -> str:
    odd = sum(character < " " and character not in "\t\n\r\f\x1b" for character in text)
    if odd > MAX_CONTROL_SHARE * len(text):
        raise UnreadableError(f"It is not of a kind that can be read: {READABLE}.")
    return text


if __name__ == "__main__":
    main()
