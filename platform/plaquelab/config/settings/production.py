"""Many machines: PostgreSQL, Redis, S3-compatible storage, everything by environment variables."""

from __future__ import annotations

from plaquelab.config.settings.base import *  # noqa: F403
from plaquelab.config.settings.base import CELERY_TASK_TIME_LIMIT, env

SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 60

CELERY_BROKER_URL = env.str("REDIS_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task: a shorter one runs it twice. Our own lease finds dead workers sooner.
    "visibility_timeout": int(CELERY_TASK_TIME_LIMIT * 1.1),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}

FILE_STORE = env.str("FILE_STORE", default="s3")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="") or None
S3_BUCKET = env.str("S3_BUCKET", default="plaquelab")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=True)
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
