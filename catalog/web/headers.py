"""Response headers that keep a browser on the safe side; the content security policy has no unsafe-inline."""

from flask import Flask, Response, request

from catalog.web.context import actor, runtime

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
_YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Have every answer carry the headers."""
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if runtime().settings.secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    if request.endpoint != "static":
        # A signed-in page must not come back from a cache after signing out; public ones may, once checked again.
        headers.setdefault("Cache-Control", "no-store" if actor().signed_in else "no-cache")
        headers.add("Vary", "Cookie, Accept-Language")
    return response
