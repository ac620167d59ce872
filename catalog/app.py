"""Wiring of the web application: settings, runtime, plumbing, blueprints, on one screen."""

import datetime as dt

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from catalog import api, views
from catalog.config import Settings, load
from catalog.paths import STATIC, TEMPLATES
from catalog.runtime import Runtime, open_runtime
from catalog.web import address, assets, errors, headers, hosts, jinja, limits, locale, login, wording
from catalog.web.context import EXTENSION, close_session

_LARGEST_REQUEST = 4 * 1024 * 1024
_SESSION_LIFE = dt.timedelta(hours=8)


def create_app(settings: Settings | None = None, runtime: Runtime | None = None) -> Flask:
    """Build the application; raises SettingsError for settings that can't work.

    `runtime` serves tests and commands that have opened one already.
    """
    runtime = runtime or open_runtime(settings or load())
    settings = runtime.settings
    app = Flask("catalog", template_folder=str(TEMPLATES), static_folder=None)
    app.extensions[EXTENSION] = runtime
    app.config.update(
        SECRET_KEY=runtime.secret_key,
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=_LARGEST_REQUEST,
        MAX_FORM_PARTS=5_000,
        SESSION_COOKIE_NAME="__Host-sitzung" if settings.secure else "sitzung",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=_SESSION_LIFE,
        WTF_CSRF_TIME_LIMIT=None,  # a form may stay open all day; the session's own end ends the token
        PREFERRED_URL_SCHEME="https" if settings.secure else "http",
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.teardown_appcontext(close_session)
    hosts.init_app(app)
    address.init_app(app)
    errors.init_app(app)
    locale.init_app(app)
    assets.init_app(app, STATIC)
    login.init_app(app)
    limits.init_app(app)
    headers.init_app(app)
    CSRFProtect(app)
    jinja.init_app(app)
    wording.init_app(app)
    views.init_app(app)
    api.init_app(app)
    return app
