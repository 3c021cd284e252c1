"""Commands, run in the process of the test."""

import json
from typing import Any

from click.testing import CliRunner, Result

from symphony_pg.cli import main


class Cli:
    """Runs commands against one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, *arguments: str, exit_code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, ["--dsn", self.dsn, *arguments], input=stdin)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.run("--json", *arguments, **options).stdout)
