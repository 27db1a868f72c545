"""People who use the installation."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A named account. ``printed_name`` stands in signatures."""

    printed_name = models.CharField(max_length=120)
    is_demonstration = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.printed_name or self.username
