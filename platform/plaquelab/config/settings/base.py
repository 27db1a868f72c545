"""Settings that every world shares. A world (embedded, production, testing) adds where things live."""

from __future__ import annotations

from pathlib import Path

import environ

env = environ.Env()

ROOT = Path(__file__).resolve().parents[4]
DATA_DIR = Path(env.str("DATA_DIR", default=str(ROOT / "var"))).resolve()

SECRET_KEY: str
DEBUG = False
DEMONSTRATION = env.bool("PLAQUELAB_DEMONSTRATION", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_vite",
    "plaquelab.audit",
    "plaquelab.jobs",
    "plaquelab.accounts",
    "plaquelab.studies",
    "plaquelab.uploads",
    "plaquelab.imaging",
    "plaquelab.analysis",
    "plaquelab.reading",
    "plaquelab.references",
    "plaquelab.freezes",
    "plaquelab.dashboards",
    "plaquelab.api",
    "plaquelab.demo",
    "plaquelab.home",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "plaquelab.accounts.middleware.SecondFactorMiddleware",
    "plaquelab.refusals.RefusalMiddleware",
]

ROOT_URLCONF = "plaquelab.config.urls"
ASGI_APPLICATION = "plaquelab.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "platform" / "plaquelab" / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "plaquelab.studies.context.page",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "plaquelab.accounts.adapter.ClosedAccountAdapter"
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,20/5m/ip"}
MFA_TOTP_ISSUER = "Plaquelab"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = None  # WhiteNoise serves what the finders find: the front end as built and packages' own
STATICFILES_DIRS = [ROOT / "frontend" / "dist"]
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "manifest_path": ROOT / "frontend" / "dist" / ".vite" / "manifest.json",
        "static_url_prefix": "",
    }
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "plaquelab.api.errors.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {"TITLE": "Plaquelab", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 5000
FILE_UPLOAD_PERMISSIONS = 0o600
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=4 * 2**30)
UPLOAD_MAX_FILES = env.int("UPLOAD_MAX_FILES", default=5000)
STAGING_DAYS = 7
UPLOAD_IDLE_HOURS = 24

# Queue. The truth of a job is its row (plaquelab.jobs); the broker is only a doorbell.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_SOFT_TIME_LIMIT = 1620
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_TASK_ROUTES = {
    "plaquelab.imaging.tasks.*": {"queue": "ingest"},
    "plaquelab.analysis.tasks.*": {"queue": "gpu"},
    "plaquelab.freezes.tasks.*": {"queue": "analytics"},
    "plaquelab.dashboards.tasks.*": {"queue": "analytics"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=30)
JOB_HEARTBEAT_SECONDS = env.int("JOB_HEARTBEAT_SECONDS", default=5)
JOB_REAPER_SECONDS = env.int("JOB_REAPER_SECONDS", default=5)
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=3)
# “served”, the name of a network in inference/weights, or the path of a .safetensors file that `python -m inference train` wrote.
INFERENCE_MODEL = env.str("PLAQUELAB_MODEL", default="served")
# Shown on the start page of a demonstration, where it also signs; used nowhere else.
DEMONSTRATION_PASSWORD = env.str("DEMONSTRATION_PASSWORD", default="demonstration-only")
# Which phantoms the demonstration is made of: “demo” in full, “tiny” where it must be quick (browser tests).
DEMONSTRATION_SCENARIO = env.str("DEMONSTRATION_SCENARIO", default="demo")

# Where the chain's head is also appended, outside the database.
AUDIT_HEADS_FILE = DATA_DIR / "audit" / "heads.jsonl"
# Keys for pseudonyms and UID mapping: one file a study, outside the database.
KEYS_DIR = DATA_DIR / "keys"
STAGING_DIR = DATA_DIR / "staging"
QUARANTINE_DIR = DATA_DIR / "quarantine"
FILES_DIR = DATA_DIR / "files"
FILE_STORE = "folder"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "plaquelab": {"level": "INFO"},
        # It quotes values, which may be names. (A level would not do: pydicom sets its own when it is imported.)
        "pydicom": {"handlers": ["nowhere"], "propagate": False},
        "celery": {"level": "WARNING"},
        "celery.apps.worker": {"level": "INFO"},  # when it is ready, and when it ends
        "kombu": {"level": "WARNING"},
    },
}
