"""Strings that break mails: made anew from a seed, of parts that each have broken one somewhere."""

import random
from collections.abc import Iterator

PARTS = (
    *("\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t", "\x7f", "\x9b"),
    *("\u202e", "\u2066", "\u2069", "\u200f", "\u200b", "\u200d", "\ufeff", "\ufffe", "\U000e0041", "\U0010ffff"),
    *("\ud800", "\udfff", "\udcc3", "e\u0301", "👩‍👩‍👧", "Ä", "漢字", "العربية", "ß", "\u0130"),
    *("\r\nBcc: x@evil.example", "\nX-Evil: 1\n\nbody"),
    *("=?utf-8?q?a=0D=0AX-Evil:_1?=", "=?utf-8?b?DQpYLUV2aWw6IDE=?=", "=?", "?=", "=\r\n", "\r\n.\r\n", "\n--=_"),
    *("<b@evil.example>", ", b@evil.example", '"', "\\", "(", ")", ";", ":"),
    *("<script>alert(1)</script>", "<img src=https://evil.example/p.gif>", "</td></table>", "<!--", "-->"),
    *("<![endif]-->", "]]>", "&#0;", "&lt;", "&", "{{ 7*7 }}", "{% raw %}", "{#", "</style>", "</title>"),
    *("<svg/onload=x()>", "![p](https://evil.example/p.png)", "[x](javascript:x())", "<https://a.example>"),
    *("[a](https://a.example 'b\"c')", "```", "~~~", "`", "*", "_", "**", "[", "](", "![", "> ", "# ", "\\\\", "    "),
    *("| a | b |\n|--|--|\n", "- ", "1. "),
    *("x" * 1200, " " * 100, "word " * 40, "a@b" * 30, "\n" * 30, "漢" * 400),
)


def nasty(seed: int, count: int, longest: int = 12) -> Iterator[str]:
    """So many of them."""
    dice = random.Random(seed)
    for _ in range(count):
        yield "".join(dice.choices(PARTS, k=dice.randint(1, longest)))
