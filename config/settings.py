"""Every setting of Nightowl, read top to bottom; the environment decides last."""

import ipaddress
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.enum_names import ENUM_NAMES

django_stubs_ext.monkeypatch()  # lets forms and admins name their model in brackets

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where values come from ----------------------------------------------------------------
# The environment, then `.env`, then what the embedded start keeps under NIGHTOWL_HOME.


class _Environment(environ.Env):  # type: ignore[misc]
    def get_value(self, var: str, cast: Any = None, default: Any = "", **how: Any) -> Any:
        """Take an empty variable, which compose files are full of, for one that is not set."""
        if os.environ.get(var) == "":
            return default
        return super().get_value(var, cast=cast, default=default, **how)


env = _Environment()
environ.Env.read_env(BASE_DIR / ".env")
NIGHTOWL_HOME = Path(env.str("NIGHTOWL_HOME", default=str(BASE_DIR / "var"))).resolve()
environ.Env.read_env(NIGHTOWL_HOME / "environment")


def _secret_key() -> str:
    kept = NIGHTOWL_HOME / "secret-key"
    key: str = env.str("SECRET_KEY", default="")
    if not key and kept.is_file():
        key = kept.read_text().strip()
    if len(key) < 50:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to at least 50 random characters, or start Nightowl once with "
            "`make run`, which creates one."
        )
    return key


def _database() -> dict[str, Any]:
    if not env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured(
            "There is no database yet. Start Nightowl with `make run`, which brings one, "
            "or set DATABASE_URL."
        )
    database = dict(env.db_url("DATABASE_URL"))
    # A socket's folder stands percent-encoded in a URL.
    database["HOST"] = unquote(str(database.get("HOST", "")))
    return database


SECRET_KEY = _secret_key()
DEBUG = env.bool("DEBUG", default=False)

# --- Address -------------------------------------------------------------------------------
# PUBLIC_URL decides hosts, cookies and HTTPS: loopback and TLS are both right without more.

HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://{HOST}:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"


def _loopback_names(host: str) -> list[str]:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return ["127.0.0.1", "localhost", "[::1]"] if loopback else []


ALLOWED_HOSTS = [
    _public.hostname or HOST,
    *_loopback_names(_public.hostname or HOST),
    *env.list("ALLOWED_HOSTS", default=[]),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *env.list("CSRF_TRUSTED_ORIGINS", default=[])]

# --- Applications --------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "projects",
    "providers",
    "knowledge",
    "conversations",
    "reviews",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.input_guard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.frame",
            ],
        },
    }
]

# --- Data ----------------------------------------------------------------------------------
# Under ASGI a connection must not outlive its request: a pool keeps them, in web processes
# only. Pools do not survive the worker's fork, so Celery opens connections of its own.

DATABASES = {"default": _database()}
DATABASES["default"]["CONN_MAX_AGE"] = 0
if env.bool("DATABASE_POOL", default=False):
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": 20, "timeout": 10},
    }

# How much each web process works on at once, and lets wait; docs/configuration.md has the sums.
SEARCHES_AT_ONCE = env.int("SEARCHES_AT_ONCE", default=2)
SEARCHES_WAITING = env.int("SEARCHES_WAITING", default=250)
ANSWERS_AT_ONCE = env.int("ANSWERS_AT_ONCE", default=20)
ANSWERS_WAITING = env.int("ANSWERS_WAITING", default=100)
REQUESTS_AT_ONCE = env.int("REQUESTS_AT_ONCE", default=12)
REQUESTS_WAITING = env.int("REQUESTS_WAITING", default=500)
# Answers that are written for one person at the same time.
ANSWERS_PER_PERSON = env.int("ANSWERS_PER_PERSON", default=5)
TURN_SECONDS = env.int("TURN_SECONDS", default=10)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="")
_redis_cache = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": REDIS_URL,
    # A Redis that swallows packets must not hang a login.
    "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
}
_memory_cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
CACHES = {"default": _redis_cache if REDIS_URL else _memory_cache}

# --- Background work -----------------------------------------------------------------------
# A Job row decides everything; Celery only rings the bell, so a lost message costs seconds.

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1) or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
# Nothing is ever left to acknowledge: with a message in hand when its broker dies, Celery 5.7's
# worker dies too. A bell lost with its worker is rung again by the next sweep.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Without its broker a worker goes on by its sweeps (projects.workers), so it never gives up.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    # Who rings does not wait for a broker that is away: the sweeps find the job.
    "max_retries": 1,
    "interval_start": 0,
}
CELERY_TIMEZONE = "UTC"
# From when on, in UTC, each night's golden questions are asked; -1 for never.
GOLDEN_HOUR = env.int("GOLDEN_HOUR", default=2)

JOB_RUNNERS = {
    "sync": "knowledge.syncing.run_sync",
    "embed": "knowledge.embedding.run_embed",
    "nightly": "reviews.nightly.run_nightly",
}
JOB_LEASE_SECONDS = 20
# How long a job may run while the work of others waits.
JOB_SLICE_SECONDS = 20

# --- Sources -------------------------------------------------------------------------------

SOURCE_ROOTS = [Path(root) for root in env.list("SOURCE_ROOTS", default=[])] + [BASE_DIR]
ALLOWED_PRIVATE_HOSTS = env.list("ALLOWED_PRIVATE_HOSTS", default=[])
# How often remote repositories are asked whether they have changed; 0 for never.
POLL_MINUTES = env.int("POLL_MINUTES", default=10)
GITHUB_API_URL = env.str("GITHUB_API_URL", default="https://api.github.com")
MIRRORS_DIR = NIGHTOWL_HOME / "mirrors"
MAX_FILE_BYTES = env.int("MAX_FILE_BYTES", default=2_000_000)
# Files are read and cut up in processes of their own, each bounded by the kernel.
READERS = env.int("READERS", default=min(2, os.cpu_count() or 1))
READER_MEGABYTES = 256
READER_SECONDS = 20.0
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=25_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 200

# --- External services ---------------------------------------------------------------------
# Without these the offline provider answers, and needs no key and no network.

LLM_BASE_URL = env.str("LLM_BASE_URL", default="")
LLM_MODEL = env.str("LLM_MODEL", default="")
LLM_API_KEY = env.str("LLM_API_KEY", default="")
EMBEDDING_BASE_URL = env.str("EMBEDDING_BASE_URL", default="")
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", default="")
EMBEDDING_QUERY_PREFIX = env.str("EMBEDDING_QUERY_PREFIX", default="")
EMBEDDING_DOCUMENT_PREFIX = env.str("EMBEDDING_DOCUMENT_PREFIX", default="")
EMBEDDING_LIMITS = {
    "texts_at_once": env.int("EMBEDDING_TEXTS_AT_ONCE", default=None),
    "requests_per_minute": env.int("EMBEDDING_REQUESTS_PER_MINUTE", default=None),
    "tokens_per_minute": env.int("EMBEDDING_TOKENS_PER_MINUTE", default=None),
    "token_budget": env.int("EMBEDDING_TOKEN_BUDGET", default=None),
    "usd_per_million": env.str("EMBEDDING_USD_PER_MILLION", default=None),
}

# Where digests are sent from; without a server nobody is written to.
EMAIL_URL = env.str("EMAIL_URL", default="")
vars().update(env.email_url("EMAIL_URL") if EMAIL_URL else {})
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="nightowl@localhost")

CHAT_ADAPTERS = {
    "offline": "providers.offline.OfflineChat",
    **dict.fromkeys(
        ("openai", "google", "openrouter", "litellm", "ollama"),
        "providers.compatible.CompatibleChat",
    ),
}
EMBEDDERS = {
    "minilm": "providers.minilm.MiniLM",
    "compatible": "providers.compatible_embedding.CompatibleEmbedder",
}
# Of the space that the environment asks for; others name theirs.
EMBEDDING_ADAPTER = "compatible" if EMBEDDING_BASE_URL else "minilm"

# Where searches compare vectors: in PostgreSQL, which always keeps them, or in Qdrant.
QDRANT_URL = env.str("QDRANT_URL", default="")
QDRANT_API_KEY = env.str("QDRANT_API_KEY", default="")
QDRANT_INT8 = env.bool("QDRANT_INT8", default=False)
QDRANT_WORDS = env.bool("QDRANT_WORDS", default=False)
QDRANT_TIMEOUT = env.int("QDRANT_TIMEOUT", default=2)
VECTOR_STORE = f"knowledge.{'qdrant_vectors.IN_QDRANT' if QDRANT_URL else 'vectors.IN_POSTGRESQL'}"

# --- Who is asking -------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Browser -------------------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _https
SESSION_COOKIE_NAME = "__Host-session" if _https else "nightowl-session"
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "nightowl-csrf"
SECURE_SSL_REDIRECT = _https and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if env.bool("TRUST_PROXY_HEADERS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        **{f"{kind}-src": [SELF] for kind in ("script", "style", "font", "connect", "manifest")},
        "form-action": [SELF],
        "img-src": [SELF, "data:"],
        "frame-src": [SELF],  # portal.diagrams
    }
}

# --- REST ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsing.GuardedJSON"],
    "DEFAULT_PAGINATION_CLASS": "config.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would list the choices of fields
    "EXCEPTION_HANDLER": "config.errors.explain_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Nightowl",
    "DESCRIPTION": "The memory of a software team: search, cited answers and what feeds them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["accounts.authentication.HasScope"],
    "PREPROCESSING_HOOKS": ["config.description.one_of_each"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.description.with_errors",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

# --- Pages ---------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = NIGHTOWL_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.StaticFiles"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MANIFEST_STRICT = False
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# --- Logs ----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "httpx2": {"level": "WARNING"},
    },
}
