"""docs/http.md: its session runs, and the answers look like those it shows."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Client
from tests.helpers import ROOT
from tests.http.helpers import SECRET, VIEWER
from tests.http.test_serve import served
from tests.test_docs import blocks

PAGE = ROOT / "docs" / "http.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page shows curl")
def test_the_session(dsn: str, client: Client, tmp_path: Path) -> None:
    (session,) = blocks(PAGE, "console")
    steps = re.findall(r"^\$ (curl .+)\n(\{.+)$", session, re.MULTILINE)
    assert len(steps) == 5
    client.enqueue_batch([{"message_type": "Slow", "body": {"seconds": 0}}] * 3)
    client.tick()
    with served(tmp_path, dsn, "--app", "served_app:app") as server:
        for command, shown in steps:
            done = subprocess.run(
                ["sh", "-c", command.replace("http://127.0.0.1:8787", server.url)],
                env={
                    "PATH": "/usr/local/bin:/usr/bin:/bin",
                    "SYMPHONY_VIEWER_TOKENS": VIEWER,
                    "SYMPHONY_WORKER_SECRETS": SECRET,
                },
                capture_output=True,
                text=True,
                check=True,
            )
            assert _steady(json.loads(done.stdout)) == _steady(json.loads(shown)), command


def _steady(answer: Any) -> Any:
    """Return an answer without what differs from run to run."""
    if isinstance(answer, list):
        return [_steady(each) for each in answer]
    if isinstance(answer, dict):
        varies = ("oldest_age", "seconds", "request_id")
        return {key: key in varies or _steady(each) for key, each in answer.items()}
    return answer
