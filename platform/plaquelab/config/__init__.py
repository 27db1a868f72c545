"""Settings, URLs and the Celery application; importing it makes ``shared_task`` find the application."""

from plaquelab.config.celery import app as celery_app

__all__ = ["celery_app"]
