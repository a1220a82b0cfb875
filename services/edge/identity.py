"""Who is calling: a bearer token, the cookie of local mode, or, on this machine alone, nobody in particular.

Local mode has one user and no password, so other web pages must be kept from using it through the browser:
the Host must be ours (DNS rebinding), a cross-site request is refused whatever it carries (`Origin`, `Sec-Fetch-Site`),
and a browser needs the cookie that only a page of ours, or the address bar, can have been given.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from kit.auth.principal import Principal
from kit.auth.tokens import LOCAL, InvalidTokenError, Tokens, local_user
from kit.settings import AuthSettings, EdgeSettings

COOKIE = "studio_session"
DOTS_OF_A_TOKEN = 2
OWN_SITE = frozenset({"same-origin", "none"})


class DeniedError(Exception):
    """The request may not be made. `code` is `unauthenticated` or `forbidden`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Identity:
    """Decides who a request is from, by its headers (lower-case names)."""

    def __init__(self, auth: AuthSettings, edge: EdgeSettings) -> None:
        self._tokens = Tokens(auth)
        self._local = auth.mode == "local"
        self._local_user = local_user(auth) if self._local else LOCAL
        self._hosts = frozenset(host.lower() for host in edge.allowed_hosts)
        self._origins = frozenset(origin.rstrip("/").lower() for origin in edge.allowed_origins)

    def check_host(self, headers: dict[str, str]) -> None:
        """Refuse what was sent to a name that is not ours. Raises DeniedError."""
        host = headers.get("host", "")
        if self._local and _host_name(host) not in self._hosts:
            raise DeniedError("forbidden", f"Local mode does not answer for the host {host!r}.")

    def check_origin(self, headers: dict[str, str]) -> None:
        """Refuse what another web page made the browser send. Raises DeniedError."""
        if not self._local:
            return
        host = headers.get("host", "")
        origin = headers.get("origin", "").rstrip("/").lower()
        if origin in self._origins:
            return
        if origin and origin.partition("://")[2] != host.lower():
            raise DeniedError("forbidden", "Local mode does not answer other web pages.")
        if not origin and headers.get("sec-fetch-site", "none") not in OWN_SITE:
            raise DeniedError("forbidden", "Local mode does not answer other web pages.")

    def principal(self, headers: dict[str, str], *, foreign_keys: bool = False) -> Principal:
        """Whose request it is. Raises DeniedError.

        `foreign_keys`: in local mode a key that looks like no token counts as none. OpenAI's clients do not start
        without a key, and one that was made for another server changes nothing about who may use this one.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if self._local and foreign_keys and scheme.lower() == "bearer" and token.count(".") != DOTS_OF_A_TOKEN:
            scheme = ""
        try:
            if scheme:
                if scheme.lower() != "bearer":
                    raise DeniedError("unauthenticated", "Send a token as 'Authorization: Bearer …'.")
                return self._tokens.check(token.strip())
        except InvalidTokenError as error:
            raise DeniedError("unauthenticated", f"{str(error).capitalize()}.") from error
        if self._local:
            by_cookie = self._by_cookie(headers)
            if by_cookie is not None:
                return by_cookie
            if "sec-fetch-site" not in headers and "origin" not in headers:
                return self._local_user  # no browser: a program of this machine
            if headers.get("sec-fetch-site") in OWN_SITE:
                return self._local_user
        raise DeniedError("unauthenticated", "Send a token as 'Authorization: Bearer …'.")

    def cookie_to_set(self, headers: dict[str, str]) -> str | None:
        """The cookie that signs a browser in that comes from the address bar or a page of ours without a good one."""
        if not self._local or headers.get("sec-fetch-site") not in OWN_SITE or self._by_cookie(headers):
            return None
        return f"{COOKIE}={self._tokens.sign(LOCAL)}; Path=/; HttpOnly; SameSite=Strict"

    def _by_cookie(self, headers: dict[str, str]) -> Principal | None:
        """Who the cookie says it is. One that is no good counts as none: it may be of an earlier secret, or expired,
        and nobody should have to delete it by hand.
        """
        cookie = _cookie(headers.get("cookie", ""))
        if cookie is None:
            return None
        try:
            found = self._tokens.check(cookie)
        except InvalidTokenError:
            return None
        local = (found.tenant, found.user) == (LOCAL.tenant, LOCAL.user)
        return self._local_user if local else found  # the cookie may be older than the settings


def _host_name(host: str) -> str:
    """The name in a Host header, without the port; nothing if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None
