"""Which URLs a webhook may have, in every spelling."""

import pytest

from kit.refusal import Refused
from services.notifier.hooks.url import checked

GOOD = {
    "https://example.com/hook?key=1": "https://example.com/hook?key=1",
    "https://example.com": "https://example.com",
    "HTTPS://EXAMPLE.com/A": "https://example.com/A",
    "https://example.com:8443/": "https://example.com:8443/",
    "https://example.com./x": "https://example.com./x",
    "https://bücher.example.com/ü": "https://xn--bcher-kva.example.com/%C3%BC",
    "https://my_hooks.example.com/": "https://my_hooks.example.com/",
    "https://example.com/a@b": "https://example.com/a@b",
    "https://example.com/?to=https://me:pw@localhost/": "https://example.com/?to=https://me:pw@localhost/",
    "https://8.8.8.8/": "https://8.8.8.8/",
    "https://[2606:4700::1111]/": "https://[2606:4700::1111]/",
    "https://notlocal.example/": "https://notlocal.example/",
    "https://127.0.0.1.example.com/": "https://127.0.0.1.example.com/",
}
MALFORMED = (
    "",
    "example.com",
    "//example.com/",
    "https:example.com",
    "https://",
    "https:///path",
    "https://:443/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "https://me@example.com/",
    "https://me:pw@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com/#part",
    "https://example.com/#",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:x/",
    "https://exam ple.com/",
    "https://example.com/a b",
    " https://example.com/",
    "https://example.com/\r\nX-Header: 1",
    "https://exam\tple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\x00",
    "https://exam\u200bple.com/",
    "https://exam\u00adple.com/",
    "https://exa%6dple.com/",
    "https://localhost%2e/",
    "https://a..example.com/",
    "https://.example.com/",
    "https://example.com../",
    "https://-a.example.com/",
    "https://a-.example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 130 + "com/",
    "https://[::1/",
    "https://[v1.x]/",
    "https://example.com/" + "a" * 2_000,
    "https://example.com/" + "ü" * 500,
    "https://exa\ud800mple.com/",
)
PRIVATE = (
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://127.0.0.1./",
    "https://10.1.2.3/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0X7F.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0x/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:a00:1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://ⓛocalhost/",
    "https://ＬＯＣＡＬＨＯＳＴ/",
    "https://a.localhost/",
    "https://localhost.localdomain/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://intranet/",
    "https://postgres:5432/",
    "https://bücher/",
)


def refusal(url: str, *, allow_private: bool = False) -> str:
    with pytest.raises(Refused) as caught:
        checked(url, allow_private=allow_private)
    assert caught.value.problem.code == "invalid_webhook"
    return caught.value.problem.message


@pytest.mark.parametrize(("given", "called"), GOOD.items())
def test_a_good_one_is_kept_as_it_is_called(given: str, called: str) -> None:
    assert checked(given, allow_private=False) == called
    assert checked(called, allow_private=False) == called


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_one_is_refused_whatever_is_allowed(url: str) -> None:
    refusal(url)
    refusal(url, allow_private=True)


@pytest.mark.parametrize("url", PRIVATE)
def test_one_that_leads_inside_is_refused(url: str) -> None:
    refusal(url)


def test_no_tls_is_refused() -> None:
    assert "https" in refusal("http://example.com/")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "http://localhost/", "https://[::1]/", "http://hook:80/"]
)
def test_inside_is_allowed_by_the_setting(url: str) -> None:
    checked(url, allow_private=True)


def test_a_number_is_not_guessed_at_even_then() -> None:
    assert "number" in refusal("http://2130706433/", allow_private=True)
