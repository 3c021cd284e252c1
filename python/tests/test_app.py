"""An application."""

import pytest

from symphony_pg import InMemoryTransport, Symphony
from tests.helpers import SendEmail


def test_handlers_are_registered_once() -> None:
    app = Symphony(transport=InMemoryTransport())

    @app.handler(SendEmail)
    def first(message: SendEmail) -> None: ...

    with pytest.raises(ValueError, match="handled already"):
        app.handler(SendEmail)(first)
    with pytest.raises(ValueError, match="handled already"):
        app.handler("SendEmail")(lambda body: None)
    with pytest.raises(TypeError, match="takes 3"):
        app.handler("Other")(lambda a, b, c: None)
