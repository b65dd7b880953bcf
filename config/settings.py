"""Settings: each value is read once from the environment, with a safe default or a clear failure.

`.env` in the working directory fills in what the environment does not say. Any secret can come
from a file instead: `NAME_FILE` holds the path.
"""

import contextlib
import os
import secrets
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from config.environment import read_env_file
from config.storage import file_storage, storage_quota, unlinked_files_kept

BASE_DIR = Path(__file__).resolve().parent.parent
# In a wheel, templates and static files travel inside this package (see pyproject.toml).
_packaged = Path(__file__).resolve().parent / "packaged"
ASSETS = _packaged if _packaged.is_dir() else BASE_DIR

read_env_file(Path(".env"))


def env(name: str, default: str = "") -> str:
    """A value from the environment, or from the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else os.environ.get(name) or default


def env_switch(name: str, *, default: bool) -> bool:
    value = env(name, "on" if default else "off").lower()
    if value not in {"on", "off"}:
        raise ImproperlyConfigured(f"{name} must be `on` or `off`, not {value!r}.")
    return value == "on"


def env_number(name: str, default: float) -> float:
    value = env(name, str(default))
    try:
        return float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None


def env_networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Networks or single addresses, separated by commas."""
    try:
        return [ip_network(each.strip()) for each in env(name).split(",") if each.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be networks, but {error}.") from None


VERSION = "0.1.0"
# What people call it: the name under its icon, and over its notifications.
APP_NAME = env("APP_NAME", "Licet")
USER_AGENT = f"Licet/{VERSION}"

# Where it runs

DEBUG = False
HOST = env("HOST", "127.0.0.1")
PORT = int(env_number("PORT", 8000))
DATA_DIR = Path(env("DATA_DIR", "var")).resolve()
PUBLIC_URL = env("PUBLIC_URL", f"http://{'localhost' if HOST == '127.0.0.1' else HOST}:{PORT}")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise ImproperlyConfigured(f"PUBLIC_URL must be an http or https address, not {PUBLIC_URL!r}.")
SECURE = _public.scheme == "https"

ALLOWED_HOSTS = [_public.hostname, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]


def _secret_key() -> str:
    """SECRET_KEY, or one that is made once and kept in the data directory."""
    given = env("SECRET_KEY")
    if given:
        return given
    path = DATA_DIR / "secret-key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret-key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = [key for key in env("SECRET_KEY_FALLBACKS").split(",") if key]

# Parts

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "config.apps.LicetConfig",
    "web.apps.WebConfig",
    "api.apps.ApiConfig",
    "reviews.apps.ReviewsConfig",
    "attachments.apps.AttachmentsConfig",
    "inbox.apps.InboxConfig",
    "delivery.apps.DeliveryConfig",
    "accounts.apps.AccountsConfig",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.request_ids.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.pages_only.Compression",
    "config.pages_only.StaticFiles",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.pages_only.Sessions",
    "config.pages_only.Locale",
    "django.middleware.common.CommonMiddleware",
    "config.pages_only.Csrf",
    "config.pages_only.Authentication",
    "config.pages_only.Personal",
    "config.pages_only.LastSeen",
    "config.pages_only.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.workspace",
            ],
        },
    },
]

# Data


def _postgresql_options(given: dict[str, str]) -> dict[str, object]:
    """The query of DATABASE_URL goes to libpq, but for `pgbouncer`.

    The server puts values in their places: to format them here costs more than to send them. To
    compile a statement takes it 50 ms; those that it is done for take 1 ms without. PgBouncer
    refuses a connection that asks for that.
    """
    to_libpq = {name: value for name, value in given.items() if name != "pgbouncer"}
    uncompiled = {} if given.get("pgbouncer") == "true" else {"options": "-c jit=off"}
    return {"server_side_binding": True, **uncompiled, **to_libpq}


def _database(url: str) -> dict[str, object]:
    """`sqlite:///path` (three slashes: relative, four: absolute) or `postgresql://user@host/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        file = Path(unquote(parts.path[1:]) or DATA_DIR / "licet.sqlite3").resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(file),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 5,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
            "CONN_MAX_AGE": None,
            # Several threads and processes look at it, which an in-memory database does not allow.
            "TEST": {"NAME": f"{file}.test"},
        }
    if parts.scheme in {"postgres", "postgresql"}:
        given = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
        return {
            "ENGINE": "config.postgresql",
            # Cursors that outlive a statement need a connection of their own.
            "DISABLE_SERVER_SIDE_CURSORS": given.get("pgbouncer") == "true",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": _postgresql_options(given),
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(
        f"DATABASE_URL must begin with sqlite:/// or postgresql://, not {parts.scheme!r}."
    )


DATABASE_URL = env("DATABASE_URL", f"sqlite:///{DATA_DIR / 'licet.sqlite3'}")
DATABASES = {"default": _database(DATABASE_URL)}
REDIS_URL = env("REDIS_URL", f"unix://{DATA_DIR / 'valkey' / 'valkey.sock'}")

STATIC_URL = "static/"
STATICFILES_DIRS = [ASSETS / "static"]
# Hashed and compressed where `collectstatic` was run (the container image), else as they lie.
_static = Path(env("STATIC_ROOT") or DATA_DIR / "static")
_collected = (_static / "staticfiles.json").exists() or bool(env("COLLECTING_STATIC"))
STATIC_ROOT = _static if _collected else None
STORAGES = {
    "default": file_storage(env, DATA_DIR / "files"),
    "staticfiles": {
        "BACKEND": "config.static_files.HashedStaticFiles"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _collected

# Language and time: the wire is UTC; pages show the person's zone, or this one.

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
# One catalogue for the pages and for what lower layers say to people.
LOCALE_PATHS = [BASE_DIR / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", "UTC")

# Reviews

REVIEW_DEFAULT_WAIT = timedelta(hours=24)
REVIEW_LONGEST_WAIT = timedelta(days=env_number("REVIEW_LONGEST_WAIT_DAYS", 30))
# One batch is one transaction; on SQLite everybody who writes waits for it.
EXPIRE_BATCH = 50

# Plugins: ours, and the operator's own, of which one may take the place of ours

PLUGINS_DIR = env("PLUGINS_DIR")
PLUGIN_FOLDERS = [BASE_DIR / "web" / "plugins"]
if PLUGINS_DIR:
    PLUGIN_FOLDERS.append(Path(PLUGINS_DIR).resolve())

# Delivery: seconds between attempts (one attempt more than entries), and when to stop

DELIVERY_SCHEDULE = [
    float(entry)
    for entry in env("DELIVERY_SCHEDULE", "5,30,300,1800,7200,18000,36000,50400,72000").split(",")
]
DELIVERY_GIVE_UP_AFTER = timedelta(hours=72)
DELIVERY_LEASE_SECONDS = env_number("DELIVERY_LEASE_SECONDS", 60)
# Calls that one worker process has in the air at once.
DELIVERY_PLACES = int(env_number("DELIVERY_PLACES", 64))
# Seconds that a receiver is left alone after three failures in a row, after four, …
DELIVERY_BREAKER = [float(entry) for entry in env("DELIVERY_BREAKER", "30,120,600,1800").split(",")]
# A receiver that only failed for this long is switched off until somebody switches it on.
DELIVERY_DISABLE_AFTER = timedelta(days=env_number("DELIVERY_DISABLE_AFTER_DAYS", 5))
EGRESS_ALLOW = env("EGRESS_ALLOW")
EGRESS_ATTEMPT_SECONDS = env_number("EGRESS_ATTEMPT_SECONDS", 15)
# Certificates of authorities that are trusted beside the public ones, in one PEM file.
EGRESS_CA_FILE = env("EGRESS_CA_FILE")
if DELIVERY_LEASE_SECONDS < 2 * EGRESS_ATTEMPT_SECONDS:
    raise ImproperlyConfigured(
        "DELIVERY_LEASE_SECONDS must be at least twice EGRESS_ATTEMPT_SECONDS."
    )

# Whom a push service may write to when something is wrong with our pushes (RFC 8292, 2.1).
VAPID_SUBJECT = env("VAPID_SUBJECT", PUBLIC_URL if SECURE else "mailto:operator@localhost")
if not VAPID_SUBJECT.startswith(("mailto:", "https://")):
    raise ImproperlyConfigured(
        f"VAPID_SUBJECT must be a mailto: or https: address, not {VAPID_SUBJECT!r}."
    )

# Limits

RATE_LIMITS = env_switch("RATE_LIMITS", default=True)
OPEN_WAITS_PER_KEY = int(env_number("OPEN_WAITS_PER_KEY", 100))
# Whose X-Forwarded-For is believed. Nobody's, unless the operator says so.
TRUSTED_PROXIES = env_networks("TRUSTED_PROXIES")
LARGEST_JSON_BODY = 1024 * 1024
LARGEST_METADATA = 64 * 1024
LARGEST_FILE = int(env_number("LARGEST_FILE_MB", 100) * 1024 * 1024)
# Files that were stored for a message that never came; 0 keeps them for ever, as Placet does.
UNLINKED_FILES_KEPT = unlinked_files_kept(env)
STORAGE_QUOTA = storage_quota(env)
DATA_UPLOAD_MAX_MEMORY_SIZE = LARGEST_JSON_BODY
# Views that take files say so, and bound them.
FILE_UPLOAD_HANDLERS = ["web.files.uploads.NoUpload"]
# Beside the data and not in /tmp, which may be memory.
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "incoming"
with contextlib.suppress(OSError):  # then a system check says so
    FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

# The log of agents' calls: all of them, those that failed, or none

API_LOG = env("API_LOG", "on").lower()
if API_LOG not in {"on", "errors", "off"}:
    raise ImproperlyConfigured(f"API_LOG must be `on`, `errors` or `off`, not {API_LOG!r}.")
API_LOG_KEPT = timedelta(days=env_number("API_LOG_KEPT_DAYS", 7))
# Of one workspace; older ones go first.
API_LOG_MOST = int(env_number("API_LOG_MOST", 100_000))
# What was sent and answered, masked. The calls stay when their bodies have to go.
API_LOG_BODIES = env_switch("API_LOG_BODIES", default=True)
API_LOG_BODIES_MOST = int(env_number("API_LOG_BODIES_MB", 100) * 1024 * 1024)

# Messages and their reviews, for ever unless the operator says how long; then, before they go,
# they are written below this folder, if one is named.

MESSAGES_KEPT = timedelta(days=env_number("MESSAGES_KEPT_DAYS", 0))
MESSAGES_ARCHIVE = env("MESSAGES_ARCHIVE")
if timedelta(0) < MESSAGES_KEPT <= DELIVERY_GIVE_UP_AFTER:
    raise ImproperlyConfigured(
        "MESSAGES_KEPT_DAYS must be more than the 3 days in which deliveries are tried again."
    )

# Sessions and pages

LOGIN_URL = "web:sign-in"
LOGIN_REDIRECT_URL = "web:inbox"
LOGOUT_REDIRECT_URL = "web:sign-in"
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
]
_cookie = "__Host-" if SECURE else ""
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = f"{_cookie}session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_NAME = f"{_cookie}csrf"
DEVICE_COOKIE_NAME = f"{_cookie}device"
PUSH_COOKIE_NAME = f"{_cookie}push"
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "blob:"],
    "media-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "frame-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "manifest-src": [CSP.SELF],
    "worker-src": [CSP.SELF],
}

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Schema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Licet",
    "VERSION": VERSION,
    "DESCRIPTION": "For agents, below `/api/v1/`: post messages and requests for review, read the "
    "answers. ElizaOS's messaging endpoints below `/api/messaging/` and conversations below `/v1/` "
    "reach the same inbox. For people: sign in, read, answer, and look after the workspace.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.0",
    # Without the enum hook, which renames serializer enums: ours are struct literals.
    "POSTPROCESSING_HOOKS": ["api.schema.add_listed", "api.schema.require_bodies"],
}

# Logs: one line each, to standard error; the access log never holds a query string's secrets

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request id": {"()": "config.request_names.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(levelname)s %(name)s%(request_id)s: %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request id"],
            "formatter": "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        # Ticks come every two seconds; the tasks log what they did themselves.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # These log what clients send, with tracebacks for what is malformed.
        "engineio.server": {"level": "CRITICAL"},
        "socketio.server": {"level": "CRITICAL"},
    },
}
