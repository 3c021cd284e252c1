"""Symphony in a Django project.

    INSTALLED_APPS = [..., "symphony_pg.django"]

    from symphony_pg.django import app

    @app.handler(Welcome)
    def welcome(message: Welcome) -> None: ...

    with transaction.atomic():
        customer.save()
        app.dispatch(Welcome(customer.pk))     # in that transaction

`manage.py migrate` installs the schema, also into the databases of tests, and `manage.py symphony
consume` is the worker. The modules `messages` of all installed apps are imported at the start.
"""

from __future__ import annotations

from .application import DjangoSymphony, DjangoTransport, django_dsn

__all__ = ["DjangoSymphony", "DjangoTransport", "app", "django_dsn"]

app = DjangoSymphony()
