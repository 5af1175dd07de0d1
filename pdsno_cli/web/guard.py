"""Who may read the page: the token, the Host header, and the headers that bound what a browser does.

Everything needs the token of this run, as ``?token=`` or as the cookie that the page's first request
gets for it. A browser that the command opens gets a code in place of the token, which is good for one
request: the arguments of processes are no secret. A name in the Host header that is not this server's is refused: a stranger's page could have
its own name resolve to loopback (DNS rebinding). Ports are not compared, so that a page forwarded by ssh
works.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_OWN_SITES = ("same-origin", "none")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]*)?")
_NO_TOKEN = "the token is missing or wrong: open the address that pdsno web has printed"  # noqa: S105
_NO_HOST = "unknown host: open the address that pdsno web has printed"
_FOREIGN = "asked for by another page: only the page of pdsno web may ask"


class Guard:
    """Passes on the requests of those that may read; ASGI middleware.

    ``cookie`` is the cookie's name: a browser sends those of all ports of a host. ``names`` are host
    names of this server; its addresses need not be named. ``codes`` are good for one ``/?code=`` each.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        cookie: str,
        names: Iterable[str],
        codes: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._token = token
        self._codes = set(codes)
        self._cookie = cookie
        self._names = {name.lower() for name in (*names, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, secured)

    def _answer(self, request: Request) -> Response | None:
        """Return a refusal, or the redirection that turns token or code into a cookie; else None."""
        if not is_own_host(request.headers.get("host", ""), self._names):
            return _refused(_NO_HOST)
        words, start = request.query_params, request.url.path == "/"
        if start and (code := words.get("code")) in self._codes:
            self._codes.discard(code or "")
            return self._redirection()
        given = words.get("token") or request.cookies.get(self._cookie, "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _refused(_NO_TOKEN)
        # Cookies are sent to all ports of a host, for requests of pages of any of them.
        if not start and request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            return _refused(_FOREIGN)
        return self._redirection() if start and "token" in words else None

    def _redirection(self) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return answer


def is_own_host(header: str, names: Iterable[str]) -> bool:
    """Return True if a Host header (RFC 9110, 7.2) is an IP address or one of ``names``."""
    found = _HOST.fullmatch(header.lower())
    if found is None:
        return False
    host = found["six"] or found["name"]
    if host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refused(text: str) -> Response:
    return PlainTextResponse(f"{text}\n", 403)
