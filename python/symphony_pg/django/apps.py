"""The app for INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SymphonyConfig(AppConfig):  # type: ignore[misc]
    """Imports the modules `messages` of all installed apps, and brings a migration."""

    name = "symphony_pg.django"
    label = "symphony"
    verbose_name = "Symphony"

    def ready(self) -> None:
        """Let messages and handlers be known."""
        autodiscover_modules("messages")
