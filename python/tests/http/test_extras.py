"""Without the packages of the extra [http]: all else works, and what is missing is named."""

import subprocess
import sys

from tests.helpers import ROOT

PROGRAM = """
import sys
for name in ("starlette", "uvicorn", "prometheus_client", "opentelemetry", "sentry_sdk"):
    sys.modules[name] = None
from click.testing import CliRunner
import symphony_pg.http, symphony_pg.monitoring
from symphony_pg import Symphony, WrongState
from symphony_pg.cli import main
from symphony_pg.monitoring.prometheus import WorkerMetrics

assert CliRunner().invoke(main, ["serve", "--help"]).exit_code == 0
result = CliRunner().invoke(main, ["serve"])
assert result.exit_code == 1
print(result.output)
for make in (symphony_pg.http.create_app, WorkerMetrics):
    try:
        make(Symphony())
    except WrongState as error:
        print(error)
"""


def test_what_is_missing_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("symphony_pg.http needs the package starlette") == 2
    assert done.stdout.count("HINT: Run: pip install 'symphony-pg[http]'") == 2
    assert "--metrics-port needs the package prometheus_client" in done.stdout
    assert "pip install 'symphony-pg[prometheus]'" in done.stdout
