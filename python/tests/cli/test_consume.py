"""`symphony-pg consume`: which application and which database it takes."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from symphony_pg.cli import main
from tests.cli.helpers import Cli


def test_consume(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: None) -> None:
    (tmp_path / "shop_app.py").write_text(
        "from symphony_pg import Symphony\napp = Symphony()\n"
        "app.handler('A')(lambda message: None)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    cli.run("enqueue", "A")
    assert cli.json("consume", "--app", "shop_app:app", "--drain", "--json")["done"] == 1
    cli.run("enqueue", "A")
    text = cli.run("consume", "--app", "shop_app:app", "--limit", "1", "--no-listen").output
    assert "handlers  A" in text
    assert "1 done in" in text
    assert "HINT" in cli.run("consume", "nowhere", "--app", "shop_app:app", exit_code=1).output


def test_the_database_is_chosen_as_the_help_says(
    cli: Cli, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in (("own_app", repr(dsn)), ("lost_app", "'host=127.0.0.1 port=1'")):
        (tmp_path / f"{name}.py").write_text(
            f"from symphony_pg import Symphony\napp = Symphony({given})\n"
            "app.handler('A')(lambda message: None)\n"
        )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    drain = ("--drain", "--time-limit", "10s")
    assert cli.json("consume", "--app", "lost_app:app", *drain)["done"] == 0
    monkeypatch.setenv("SYMPHONY_DSN", "host=127.0.0.1 port=1")
    ended = CliRunner().invoke(main, ["consume", "--app", "own_app:app", "--json", *drain])
    assert json.loads(ended.stdout)["done"] == 0
    text = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    order = [text.index(each) for each in ("that of --dsn", "with --app", "of the variable", "PGH")]
    assert order == sorted(order)


APPLICATIONS = {
    "mistyped_app": "from symphony_pg import Symphony\nshop = Symphony()\n",
    "failing_app": "def name():\n    return nme\n\nname()\n",
    "garbled_app": "def name(:\n",
    "importing_app": "import no_such_library\n",
    "idle_app": "from symphony_pg import Symphony\napp = Symphony()\n",
}


@pytest.mark.parametrize(
    ("reference", "exit_code", "said"),
    [
        ("mistyped_app:app", 2, r"mistyped_app has no 'app'; .* in it: shop\n"),
        ("idle_app.py:app", 2, r"write it as in Python: idle_app:app\n"),
        ("failing_app:app", 1, r'File ".*failing_app.py", line 4, in <module>\n(.*\n)+NameError: '),
        ("garbled_app:app", 1, r'File ".*garbled_app.py", line 1\n(.*\n)+SyntaxError: '),
        ("importing_app:app", 1, r"\nModuleNotFoundError: No module named 'no_such_library'\n"),
        ("idle_app:app", 1, r"Error: idle_app:app has no handlers\nDETAIL: .+\nHINT: .+\n"),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value[:-1] else "",
)
def test_an_application_that_cannot_be_used(
    dsn: str,
    reference: str,
    exit_code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in APPLICATIONS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = CliRunner().invoke(main, ["--dsn", dsn, "consume", "--app", reference, "--drain"])
    assert result.exit_code == exit_code, result.output
    assert re.search(said, result.output), result.output
    assert "click" not in result.output and "importlib" not in result.output
