"""The two bodies of a mail, from the templates beside this file."""

from functools import cache
from importlib import resources
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

PACKAGE = "services.notifier.mail"


def html_body(view: dict[str, Any]) -> str:
    """The body for those who see HTML: its style in every tag, but for what only a block of style can say."""
    return _inliner().inline(_templates().get_template("mail.html").render(view))


def text_body(view: dict[str, Any]) -> str:
    """The body for those who see text."""
    return _templates().get_template("mail.txt").render(view).strip("\n") + "\n"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> CSSInliner:
    css = resources.files(PACKAGE).joinpath("templates", "mail.css").read_text("utf-8")
    return CSSInliner(extra_css=css, keep_at_rules=True, load_remote_stylesheets=False)
