"""Answers, which are Markdown, as HTML that any mail program may show: no HTML of their own, and nothing remote."""

import html
from collections.abc import Sequence
from functools import cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

LINES = {"a", "br", "code", "em", "s", "strong"}
BLOCKS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
TAGS = LINES | BLOCKS | {"table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "td": {"style"}, "th": {"style"}}
NARROW = "narrow"
"""The class of a table that fits on a small screen without a break in any of its words."""
NARROW_CHARACTERS, COLUMN_CHARACTERS = 36, 2
"""So many fit there in all; so many is what stands between two columns."""
SCHEMES = {"http", "https", "mailto"}


def html_of(text: str) -> Markup:
    """A text in Markdown as HTML."""
    return Markup(_cleaner().clean(_parser().render(text)))  # noqa: S704 - what the cleaner lets through


def words_of(rendered: str) -> str:
    """What is left of HTML without its tags."""
    return html.unescape(nh3.clean(rendered, tags=set()))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table)
    return parser


@cache
def _cleaner() -> nh3.Cleaner:
    """The second line of defence: the parser lets no HTML through already."""
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        filter_style_properties={"text-align"},
        allowed_classes={"table": {NARROW}},
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """An image is a link: a mail that loads one tells its sender that it is being read."""
    token = tokens[index]
    words = renderer.renderInlineAsText(token.children or [], options, env) or "Image"
    return f'<a href="{html.escape(str(token.attrGet("src") or ""))}">{html.escape(words)}</a>'


def _table(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A table. A word is broken only where there is no other way, and only HTML knows nothing of that."""
    longest: list[int] = []
    column = 0
    for token in tokens[index + 1 :]:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            column = 0
        elif token.type == "inline":
            words = max(map(len, token.content.split()), default=0)
            longest[column : column + 1] = [max([words, *longest[column : column + 1]])]
            column += 1
    if sum(longest) + COLUMN_CHARACTERS * len(longest) <= NARROW_CHARACTERS:
        return f'<table class="{NARROW}">\n'
    return "<table>\n"
