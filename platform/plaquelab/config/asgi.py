"""ASGI entry point: under WSGI a chunked request body would read as empty and answer 200."""

from __future__ import annotations

import os
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaquelab.config.settings.embedded")

from django.core.asgi import get_asgi_application

application = get_asgi_application()

import analytics.code_version  # noqa: E402
import inference.code_version  # noqa: E402
from plaquelab.config import urls  # noqa: E402, F401  (every page's modules are there before the first request)
from plaquelab.freezes.measuring_code import code_of_tables  # noqa: E402  (models need Django to be set up)
from plaquelab.reading.measuring import warm_up  # noqa: E402  (models need Django to be set up)

# Every page's foot names these. They parse our sources, and Python before 3.11.8 and 3.12.2 breaks off with a SystemError
# when two threads parse at once (gh-106905): two persons' first pages did. So they are there before any thread is.
for version in (inference.code_version.code_version, analytics.code_version.code_version, code_of_tables):
    version()

threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
