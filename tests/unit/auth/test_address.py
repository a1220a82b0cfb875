"""Addresses and names from tokens: what is none must never get into a mail."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from kit.auth.address import BadAddressError, checked_address, checked_name
from kit.auth.principal import Principal
from kit.auth.tokens import ISSUER, LOCAL, Tokens, local_user, sign_token
from kit.runtime.errors import StartError
from kit.settings import AuthSettings

SECRET = "a secret for tests that is long enough"
AUTH = AuthSettings(secret=SECRET)
ADDRESSES = {
    "ada@example.com": "ada@example.com",
    "Ada.Lovelace+x@EXAMPLE.com": "Ada.Lovelace+x@example.com",
    "user@localhost": "user@localhost",
    "ada@mail.local": "ada@mail.local",
    "ada@mailhost": "ada@mailhost",
    "ada@mail.test": "ada@mail.test",
    "jürgen@bücher.example": "jürgen@bücher.example",
}
NO_ADDRESSES = [
    "",
    "ada",
    "@localhost",
    "ada@",
    "ada@.localhost",
    "ada@localhost.",
    "ada@b@localhost",
    "ada@example.com\r\nBcc: eve@example.com",
    "ada\n@example.com",
    "ada@localhost\n",
    " ada@example.com",
    "ada@exa mple.com",
    "Ada <ada@example.com>",
    "<ada@localhost>",
    "ada@example.com, eve@example.com",
    "ada@example.com;eve@localhost",
    '"ada lovelace"@example.com',
    "ada@[127.0.0.1]",
    "ada@exam\u200bple.com",
    "ada@\u202eexample.com",
    "ada\x00@example.com",
    "ada\udc00@example.com",
    "ada@xn--a.example",
    f"{'a' * 65}@example.com",
    f"ada@{'b.' * 124}com",
    f"ada@{'b' * 300}.local",
    "ada@somewhere.invalid",
]


def read(**claims: Any) -> Principal:
    """Who a token with these claims is from."""
    common = {"iss": ISSUER, "sub": "ada", "tenant": "test", "exp": int(time.time()) + 60}
    return Tokens(AUTH).check(jwt.encode({"alg": "HS256"}, common | claims, OctKey.import_key(SECRET)))


@pytest.mark.parametrize(("given", "normal"), ADDRESSES.items())
def test_an_address_is_taken_in_its_normal_form(given: str, normal: str) -> None:
    assert checked_address(given) == normal
    assert checked_address(normal) == normal
    assert read(email=given, email_verified=True).email == normal


@pytest.mark.parametrize("wrong", NO_ADDRESSES, ids=range(len(NO_ADDRESSES)))
def test_what_is_no_address_is_left_out_of_a_valid_token(wrong: str) -> None:
    with pytest.raises(BadAddressError):
        checked_address(wrong)
    if wrong != "ada\udc00@example.com":  # no JSON
        assert read(email=wrong, email_verified=True) == Principal("test", "ada")


@pytest.mark.parametrize("verified", [None, False, "true", "false", 1, 0, [], {}])
def test_an_address_that_nobody_has_verified_does_not_count(verified: Any) -> None:
    claims = {} if verified is None else {"email_verified": verified}
    assert read(email="ada@example.com", **claims).email is None


@pytest.mark.parametrize("email", [None, 7, ["ada@example.com"], {"a": 1}, True])
def test_an_address_that_is_no_text_does_not_count(email: Any) -> None:
    assert read(email=email, email_verified=True) == Principal("test", "ada")


@pytest.mark.parametrize("name", ["Ada", "Ada Lovelace", "Åsa Ö.", "李", "نمی\u200cخواهم", 'O\'Neil, "Ada"'])
def test_a_name_is_taken(name: str) -> None:
    assert read(name=f" {name} ").name == name


@pytest.mark.parametrize(
    "name", ["", "  ", "a\r\nBcc: b", "a\x00", "a\u202eb", "a\u2028b", "x" * 201, 7, None, ["Ada"]]
)
def test_a_name_that_is_none_is_left_out(name: Any) -> None:
    assert read(name=name).name is None
    if isinstance(name, str):
        with pytest.raises(BadAddressError):
            checked_name(name)


def test_what_is_signed_is_read() -> None:
    for email, name in [("ada@localhost", "Ada"), (None, "Ada"), ("ada@localhost", None), (None, None)]:
        token = sign_token(AUTH, tenant="test", user="ada", email=email, name=name)
        assert Tokens(AUTH).check(token) == Principal("test", "ada", email, name)


@pytest.mark.parametrize(("email", "name"), [("ada", "Ada"), ("ada@example.com", "a\nb")])
def test_what_is_no_address_is_not_signed(email: str, name: str) -> None:
    with pytest.raises(BadAddressError):
        sign_token(AUTH, tenant="test", user="ada", email=email, name=name)


def test_an_address_is_no_part_of_who_somebody_is() -> None:
    plain, known = Principal("test", "ada"), Principal("test", "ada", "ada@example.com", "Ada")
    assert (plain.tenant_token, plain.user_token) == (known.tenant_token, known.user_token)


def test_the_local_user_has_the_address_of_the_settings() -> None:
    assert local_user(AUTH) == Principal(LOCAL.tenant, LOCAL.user, "user@localhost")
    known = AuthSettings(secret=SECRET, local_email="ada@example.com", local_name="Ada")
    assert local_user(known) == Principal(LOCAL.tenant, LOCAL.user, "ada@example.com", "Ada")
    for wrong in ({"local_email": "ada"}, {"local_name": "a\nb"}):
        with pytest.raises(StartError, match="STUDIO_AUTH_LOCAL_EMAIL or STUDIO_AUTH_LOCAL_NAME"):
            local_user(AuthSettings(secret=SECRET, **wrong))
