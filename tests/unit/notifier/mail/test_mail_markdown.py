"""Answers in Markdown as HTML for mails."""

import pytest

from services.notifier.mail.markdown import html_of, words_of


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("a **b** *c* ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>"),
        ("# One\n\n> two", "<h1>One</h1>\n<blockquote>\n<p>two</p>\n</blockquote>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("```py\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("<b>x</b> &amp; <!-- y -->", "<p>&lt;b&gt;x&lt;/b&gt; &amp; &lt;!-- y --&gt;</p>"),
        ("www.example.com https://example.com", "<p>www.example.com https://example.com</p>"),
    ],
)
def test_what_is_known(text: str, rendered: str) -> None:
    assert html_of(text).strip() == rendered


def test_links_lead_to_the_web_or_a_mailbox_only() -> None:
    rel = 'rel="noopener noreferrer nofollow"'
    assert html_of("[a](https://a.example)").strip() == f'<p><a href="https://a.example" {rel}>a</a></p>'
    assert 'href="mailto:a@b.example"' in html_of("<a@b.example>")
    for address in ("javascript:x", "data:text/html,x", "//a.example", "/path", "#here", "file:///x", "cid:1", "tel:1"):
        assert "href" not in html_of(f"[a]({address}) ![b]({address})")


def test_images_are_links() -> None:
    rendered = html_of('![a **pixel**"<](https://a.example/p.png?a=1&b=2 "title")')
    assert "<img" not in rendered
    assert '<a href="https://a.example/p.png?a=1&amp;b=2"' in rendered
    assert '>a pixel"&lt;</a>' in rendered
    assert ">Image</a>" in html_of("![](https://a.example/p.png)")


def test_columns_are_aligned_and_nothing_else_is_styled() -> None:
    rendered = html_of("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert 'style="text-align:center"' in rendered
    assert 'style="text-align:right"' in rendered
    assert rendered.count("style=") == 4


def test_a_table_of_short_words_breaks_none_of_them() -> None:
    assert '<table class="narrow">' in html_of("| Better | Go 1.24 |\n|--|--|\n| one long line of short words | 2 |")
    assert "<table>" in html_of("| a |\n|--|\n| " + "x" * 40 + " |")
    assert "<table>" in html_of("|" + " abc |" * 12 + "\n|" + "--|" * 12)


def test_the_words_alone() -> None:
    assert words_of(html_of("# One\n\n*two* `<b>` & three")).split() == ["One", "two", "<b>", "&", "three"]
