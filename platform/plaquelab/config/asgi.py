"""ASGI entry point: under WSGI a chunked request body would read as empty and answer 200."""

from __future__ import annotations

import os
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaquelab.config.settings.embedded")

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from plaquelab.config import urls  # noqa: E402, F401  (every page's modules are there before the first request)
from plaquelab.reading.measuring import warm_up  # noqa: E402  (models need Django to be set up)

threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
