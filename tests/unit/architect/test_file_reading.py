"""What the reader finds in documents and texts of all kinds, and why it finds nothing in others."""

import re

import pytest

from services.architect.file_reading import UnreadableError, text_of
from tests.fixtures import documents

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pypdf")


def ending_of(name: str) -> str:
    return name[name.rfind(".") :].lower()


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (documents.pdf("Hello, Ada.", "Second page"), "a.pdf", "Hello, Ada.\nSecond page"),
        (documents.pdf("By its first bytes"), "report.docx", "By its first bytes"),
        (documents.docx("Première page", "second"), "a.DOCX", "Première page\nsecond"),
        (documents.xlsx({"Costs": [["what", "n"], ["ink, red", 2.5]], "B": [["x"]]}), "a.xlsx", None),
        (documents.pptx("First", "Next"), "a.pptx", "## Slide 1\n\nFirst\n\n## Slide 2\n\nNext"),
        (documents.odt("Ein Satz.", "Noch einer."), "a.odt", "Ein Satz.\nNoch einer."),
        (b"{\\rtf1\\ansi Rich {\\b text}}", "a.rtf", "Rich text"),
        (b"<html><style>p {}</style><body><script>x()</script><h1>Head</h1><p>Text</p></body></html>", "a.html", None),
        ("grün, gelb\n1;2".encode(), "a.csv", "grün, gelb\n1;2"),
        (b"\xef\xbb\xbf# Head\n\nText", "README.md", "# Head\n\nText"),
        ("ünïcode".encode("utf-16"), "a.txt", "ünïcode"),
        ("Grüße, naïve Cafés – 5 €".encode("cp1252"), "short.txt", "Grüße, naïve Cafés – 5 €"),
        ("Die Größe der Fläche über dem Fluss änderte sich täglich.".encode("latin-1"), "a.txt", None),
        (b'{"a": [1, 2]}', "data.json", '{"a": [1, 2]}'),
        (b"def f(): ...", "a.py", "def f(): ..."),
        (b"a\x00b and more than that, so that it is a text", "a.log", "ab and more than that, so that it is a text"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and len(value) < 12 else "",
)
def test_what_can_be_read(data: bytes, name: str, found: str | None) -> None:
    read = text_of(data, ending_of(name)).strip()
    if found is not None:
        assert read == found
    elif name.endswith("xlsx"):
        assert read == '## Costs\n\nwhat,n\n"ink, red",2.5\n\n\n## B\n\nx'
    elif name.endswith("html"):
        assert read.split() == ["Head", "Text"]
    else:
        assert "Größe" in read
        assert "täglich" in read


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.txt", "empty"),
        (b" \n\t", "a.pdf", "empty"),
        (documents.pdf(""), "scan.pdf", "OCR"),
        (documents.docx(""), "a.docx", "no text in it"),
        (documents.locked_pdf("Hello"), "a.pdf", "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500, "a.docx", "password"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "a.png", "kind that can be read"),
        (b"PK\x03\x04" + bytes(range(256)) * 4, "a.zip", "kind that can be read"),
        (b"\xff\x00\xfe\x01" * 500, "a.txt", "kind that can be read"),
        (documents.bomb(201), "bomb.docx", "far larger"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_what_cannot_be_read_says_why(data: bytes, name: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=re.escape(said)):
        text_of(data, ending_of(name))
