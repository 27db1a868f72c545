"""ASGI entry point: under WSGI a chunked request body would read as empty and answer 200."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaquelab.config.settings.embedded")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
