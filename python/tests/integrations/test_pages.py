"""The pages about frameworks, followed step by step: files, commands, and the tests they show."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.helpers import ROOT, TIMEOUT, Connection, wait_until
from tests.integrations.helpers import url
from tests.integrations.test_django import database
from tests.test_docs import blocks

PYTHON = (sys.executable,)
MANAGE = (sys.executable, "manage.py")


def write(page: Path, folder: Path) -> None:
    """Write the files of a page: blocks whose first line names one."""
    for text in blocks(page, "python"):
        named = re.match(r"# ([\w/]+\.py)\n", text)
        if named is not None:
            path = folder / named[1]
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as file:
                file.write(text)


def commands(page: Path) -> list[str]:
    return [
        line
        for block in blocks(page, "console")
        for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE)
    ]


class Steps:
    """Runs commands in a folder and an environment."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        for name in ("DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS"):
            self._environment.pop(name, None)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=5 * TIMEOUT,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator["Steps"]:
        """Run a command for the length of a block, and end it as a supervisor does."""
        with self.output.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield self
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) in (0, -signal.SIGTERM), self.output.read_text()
        finally:
            process.kill()
            process.wait()

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"

    def until_written(self, text: str) -> None:
        wait_until(lambda: text in self.output.read_text(), f"{text}: {self.output}", 2 * TIMEOUT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_plain_python(empty_dsn: str, tmp_path: Path) -> None:
    page = ROOT / "README.md"
    write(page, tmp_path)
    path = tmp_path / "emails.py"
    path.write_text(path.read_text().replace("postgresql:///mydatabase", empty_dsn))
    steps = Steps(tmp_path)
    assert "symphony-pg consume --app emails:app --install" in commands(page)
    consume = (*PYTHON, "-m", "symphony_pg.cli", "consume", "--app", "emails:app", "--install")
    with steps.running(*consume):
        steps.until_written(" starts")
        wait_until(lambda: _is_installed(empty_dsn), "the schema")
        steps.run(*PYTHON, "emails.py")
        steps.until_written("to ada@example.com")


def _is_installed(dsn: str) -> bool:
    done = subprocess.run(
        [*PYTHON, "-m", "symphony_pg.cli", "db", "status", "--dsn", dsn],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.slow
def test_fastapi(empty_dsn: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / "fastapi.md"
    write(page, tmp_path)
    steps = Steps(tmp_path, DATABASE_URL=url(empty_dsn, "postgresql"))
    start, sign_up = commands(page)[:2]
    port = free_port()
    with steps.running(*PYTHON, "-m", *start.split()[:2], "--port", str(port)):
        steps.until_written("Application startup complete")
        wait_until(lambda: _is_installed(empty_dsn), "the schema")
        address = re.findall(r"'(.+)'", sign_up)[0].replace("8000", str(port))
        request = urllib.request.Request(address, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer) == 1
        steps.until_written("welcome ada@example.com")
    assert "2 passed" in steps.run(*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.slow
def test_testing(tmp_path: Path) -> None:
    page = ROOT / "docs" / "testing.md"
    write(page, tmp_path)
    (tmp_path / "pyproject.toml").write_text(blocks(page, "toml")[0])
    steps = Steps(tmp_path)
    said = steps.run(*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio")
    assert "5 passed" in said


SKELETON: Mapping[str, str] = {
    "manage.py": """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
""",
    "mysite/__init__.py": "",
    "mysite/settings.py": """
SECRET_KEY = "x"
DEBUG = True
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "mysite.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {"default": DATABASE}
""",
    "mysite/urls.py": """
from django.http import JsonResponse
from django.urls import path
from shop.models import Customer

def sign_up(request):
    return JsonResponse({"id": Customer.sign_up(request.POST["email"]).pk})

urlpatterns = [path("customers", sign_up)]
""",
    "shop/__init__.py": "",
}
SIGN_UP = (
    "from django.test import Client; "
    "print(Client().post('/customers', {'email': 'ada@example.com'}).json())"
)


def start_project(folder: Path, dsn: str) -> None:
    for name, text in SKELETON.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("DATABASE}", f"{database(dsn)}}}"))


def manage(line: str) -> Sequence[str]:
    """Return a command of the page as it is run here."""
    assert line.startswith("python manage.py ")
    return [*MANAGE, *line.split()[2:]]


@pytest.mark.slow
def test_django(empty_dsn: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / "django.md"
    start_project(tmp_path, empty_dsn)
    write(page, tmp_path)
    steps = Steps(tmp_path)
    consume, test = commands(page)
    steps.run(*MANAGE, "makemigrations", "shop")
    steps.run(*MANAGE, "migrate", "shop")
    assert not _is_installed(empty_dsn)
    with steps.running(*manage(consume)):
        steps.until_written(" starts")
        wait_until(lambda: _is_installed(empty_dsn), "the schema")
        assert "{'id': 1}" in steps.run(*MANAGE, "shell", "-c", SIGN_UP)
        steps.until_written("welcome ada@example.com")
    assert "Ran 2 tests" in steps.run(*manage(test))
    steps.run(*MANAGE, "migrate")  # which finds that the schema is there
    assert steps.run(*MANAGE, "symphony", "db", "check").strip() == "All invariants hold."


@pytest.mark.slow
def test_django_in_other_ways(dsn: str, empty_dsn: str, conn: Connection, tmp_path: Path) -> None:
    start_project(tmp_path, empty_dsn)
    write(ROOT / "docs" / "django.md", tmp_path)
    (tmp_path / "shop" / "messages.py").write_text(
        "from symphony_pg.django import app\n"
        "app.handler('Found')(lambda body: print('found', body, flush=True))\n"
        "@app.handler('Chain')\n"
        "async def chain(body):\n"
        "    from shop.models import Welcome\n"
        "    await app.dispatch_async(Welcome(7), delay=3600)\n"
    )
    steps = Steps(tmp_path)
    steps.run(*MANAGE, "migrate")
    assert _is_installed(empty_dsn)
    steps.run(*MANAGE, "symphony", "enqueue", "Found", "1")
    steps.run(*MANAGE, "symphony", "enqueue", "Chain", "1")
    report = steps.run(*MANAGE, "symphony", "consume", "--drain", "--json").splitlines()
    assert "found 1" in report and json.loads(report[-1])["done"] == 2
    # Another database, for once: what handlers dispatch goes where their messages are.
    Client(conn).enqueue("Chain")
    steps.run(*MANAGE, "symphony", "consume", "--drain", "--dsn", dsn)
    assert Client(conn).queue_stats()[0].delayed == 1
    # And without manage.py.
    steps.run(*MANAGE, "symphony", "enqueue", "Found", "2")
    steps = Steps(tmp_path)
    steps._environment["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
    consume = (*PYTHON, "-m", "symphony_pg.cli", "consume", "--drain")
    assert "found 2" in steps.run(*consume, "--app", "shop.models:app")
