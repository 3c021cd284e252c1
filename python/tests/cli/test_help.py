"""The help teaches: it has examples, and explains every option."""

import re

import click
import pytest
from click.testing import CliRunner

from symphony_pg.cli import main
from tests.cli.helpers import Cli


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [path]
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
        else:
            found.append((*path, name))
    return found


GROUPS = (
    *("access", "config", "db", "queue", "message", "schedule", "failed", "workers"),
    *("transport", "route", "policy", "key"),
)


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_help_teaches(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    if path and path not in {(name,) for name in GROUPS}:
        assert re.search(r"Examples?:\n\s+symphony-pg " + " ".join(path), result.output)


def test_every_example_in_the_help_is_a_command() -> None:
    known = {" ".join(path) for path in commands(main)}
    for path in commands(main):
        text = CliRunner().invoke(main, [*path, "--help"]).output
        for line in re.findall(r"^ +symphony-pg (.+)$", text, re.MULTILINE):
            words = line.split()
            assert any(" ".join(words[:n]) in known for n in (1, 2)), line


def test_every_option_is_explained() -> None:
    for path in commands(main):
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        for each in command.params:
            assert not isinstance(each, click.Option) or each.help, (*path, each.name)


def test_help_says_in_a_line_what_a_command_does() -> None:
    for path in commands(main):
        if path == () or path in {(name,) for name in GROUPS}:
            text = CliRunner().invoke(main, [*path, "--help"]).output
            assert "..." not in text.partition("\nCommands:\n")[2], text


def test_version(cli: Cli) -> None:
    assert "0.1.0" in cli.run("--version").output
