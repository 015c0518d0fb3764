"""Settings, all of them from the environment; the defaults are the embedded gateway: SQLite, one process, no Redis."""

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext

from gateway_project import environment
from gateway_project.log_filters import is_news

django_stubs_ext.monkeypatch()  # Django's generic classes can then be written with their parameters

BASE_DIR = Path(__file__).resolve().parent.parent
GATEWAY_DATA_DIR = environment.data_dir(BASE_DIR)
_secrets = environment.load_secrets(GATEWAY_DATA_DIR)

SECRET_KEY = _secrets["django_secret_key"]
GATEWAY_KEY_PEPPER = _secrets["key_pepper"].encode()
GATEWAY_SEALING_KEYS = _secrets["sealing_keys"]
GATEWAY_JOURNAL_DIR = GATEWAY_DATA_DIR / "journal"
GATEWAY_MAX_BODY_BYTES = int(environment.number("GATEWAY_MAX_BODY_MB", default=32) * 1024 * 1024)
GATEWAY_MAX_UPLOAD_BYTES = int(environment.number("GATEWAY_MAX_UPLOAD_MB", default=100) * 1024 * 1024)
GATEWAY_JOURNAL_MAX_BYTES = int(environment.number("GATEWAY_JOURNAL_MAX_MB", default=4096) * 1024 * 1024)
GATEWAY_RETENTION_MONTHS = int(environment.number("GATEWAY_RETENTION_MONTHS", default=0))  # 0 keeps usage for ever
GATEWAY_DRAIN_S = environment.number("GATEWAY_DRAIN_S", default=30)
# The longest answer of a call that states none, where money or tokens are reserved and nobody said more of the model.
GATEWAY_DEFAULT_MAX_OUTPUT_TOKENS = int(environment.number("GATEWAY_DEFAULT_MAX_OUTPUT_TOKENS", default=4096))
# While Redis is away: "closed" refuses what a rule applies to, "local" goes on with each worker's share; unset, calls
# under hard budgets are refused and limits go on with shares.
GATEWAY_COUNTERS_AWAY = environment.choice("GATEWAY_COUNTERS_AWAY", among=("", "closed", "local"))
GATEWAY_LOG_CALLS = environment.flag("GATEWAY_LOG_CALLS", default=False)
# The shipper runs in a process of its own under `serve`; `runserver` and tests ask for it beside the worker.
GATEWAY_INLINE_HOUSEKEEPER = environment.flag("GATEWAY_INLINE_HOUSEKEEPER", default="runserver" in sys.argv)

DEBUG = environment.flag("GATEWAY_DEBUG", default=False)
ALLOWED_HOSTS = os.environ.get("GATEWAY_ALLOWED_HOSTS", "*").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("GATEWAY_TRUSTED_ORIGINS", "").split(",") if o]
ROOT_URLCONF = "gateway_project.urls"
ASGI_APPLICATION = "gateway_project.asgi.application"
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",
    "rest_framework",
    "django_prometheus",
    "tenants",
    "providers",
    "usage",
    "routing",
    "gateway",
    "monitoring",
    "portal",
    "gateway_project",
]

# The control plane's. The data plane has none: gateway.handler serves it.
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gateway_project.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

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
            ],
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": dj_database_url.config(
        default=f"sqlite:///{GATEWAY_DATA_DIR / 'gateway.sqlite3'}", conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

REDIS_URL = os.environ.get("REDIS_URL", "")
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "llmgateway"}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
X_FRAME_OPTIONS = "SAMEORIGIN"

globals().update(environment.mail(os.environ.get("GATEWAY_EMAIL_URL", "")))
DEFAULT_FROM_EMAIL = os.environ.get("GATEWAY_EMAIL_FROM", "llmgateway@localhost")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = GATEWAY_DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
}
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": is_news}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("GATEWAY_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.access": {"level": "WARNING"},
        "uvicorn.error": {"filters": ["news"]},
    },
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "LLM Gateway",
    "SITE_HEADER": "LLM Gateway",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' stroke="
            "'%239333ea' stroke-width='1.6'%3E%3Cpath d='M8 8 8 2M8 8 3 12M8 8 13 12'/%3E%3Cg fill='%239333ea'%3E"
            "%3Ccircle cx='8' cy='8' r='2.4'/%3E%3Ccircle cx='8' cy='2.4' r='1.4'/%3E"
            "%3Ccircle cx='3' cy='12.4' r='1.4'/%3E%3Ccircle cx='13' cy='12.4' r='1.4'/%3E%3C/g%3E%3C/svg%3E",
        }
    ],
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "monitoring.dashboard.fill_index",
    "COMMAND": {
        "search_models": ["tenants.tenant", "tenants.user", "tenants.key", "providers.provider", "routing.route"]
    },
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "monitoring.navigation.build_menu"},
}
