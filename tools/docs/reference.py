"""Write docs/reference.md and docs/errors.md from the comments in the database.

Symphony is installed into the database of SYMPHONY_DSN if it is not there.

    python -m symphony_pg.server -- python tools/docs/reference.py
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "reference.md"

sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tools")]

from docs import errors  # noqa: E402
from docs.catalog import Argument, Function, Relation, functions, relations, short  # noqa: E402
from docs.markdown import paragraph, plain, table  # noqa: E402

INTRODUCTION = """\
# Reference

Every function, view and table of the schema `symphony`. `make reference` writes this page from the
comments in the database, so `\\df+ symphony.enqueue` in psql says the same.

Arguments are best given by name: `select symphony.enqueue('SendEmail', delay => '5 minutes')`. A
role may call what `grant_access()` gave it; "Access" says which kinds of access include it. What
each SQLSTATE means, and whether to try again: [errors.md](errors.md).
"""
# The folders of sql/functions that have public functions, in the order of a reader.
TOPICS = {
    "enqueue": ("Enqueueing", "Put messages into queues, and take them out again."),
    "claim": ("Claiming", "Take messages, and say what became of them."),
    "tick": ("Ticking", "Do what time has made due."),
    "queues": ("Queues", "Make queues, change them, and see what is in them."),
    "brokers": ("Brokers", "Take back what a broker handed out, and see whether it is reached."),
    "figures": ("Figures", "See what happened, by minutes and hours."),
    "limits": ("Order and limits", "See what waits for others of its key, and let it go."),
    "status": ("Status", "Look for a message, and for anything that is wrong."),
    "health": ("Health", "See what is wrong now, and what helps."),
    "failed": ("Failed messages", "Look into them, bring them back, or remove them."),
    "retry": ("Retries", "Say how messages are retried."),
    "routing": ("Routing", "Say where messages go that name no queue."),
    "config": ("Configuration", "Bring all of it to the state of a file."),
    "schedules": ("Schedules", "Enqueue messages at certain times."),
    "cron": ("Cron", "Compute times, without a schedule."),
    "workers": ("Workers", "Hear of workers, and ask something of them."),
    "audit": ("Audit", "Find out who did what."),
    "installation": ("Installation", "Grant access, and move to another server."),
}
# These come first in their topic, the others by name.
LEADING = (
    "enqueue",
    "claim_batch",
    "tick",
    "create_queue",
    "configure_queue",
    "set_retry_policy",
    "create_transport",
    "set_routes",
    "create_schedule",
    "heartbeat",
)


def text(conn: psycopg.Connection[Any]) -> str:
    """Return the page, from a database where Symphony is installed."""
    public = sorted(functions(conn), key=lambda each: each.name not in LEADING)
    shown = relations(conn)
    links = {each.name for each in public}
    paragraphs = [INTRODUCTION, paragraph(_topics()), ""]
    for topic, (title, told) in TOPICS.items():
        members = [each for each in public if each.topic == topic]
        rows = [(f"[`{each.name}`](#{each.name})", _first(each)) for each in members]
        paragraphs += [f"## {title}\n", f"{told}\n", table(("function", ""), rows), ""]
        for each in members:
            paragraphs += [*_function(each, links)]
    paragraphs += ["## Views\n", "For operators and observers.\n"]
    paragraphs += [_relation(each) for each in shown if each.kind == "v"]
    paragraphs += [
        "## Tables\n",
        "For the owner alone, to look at; the functions are the way in.\n",
    ]
    paragraphs += [_relation(each) for each in shown if each.kind != "v"]
    return "\n".join(paragraphs)


def _topics() -> str:
    titles = [*(title for title, _ in TOPICS.values()), "Views", "Tables"]
    links = (f"[{each}](#{each.lower().replace(' ', '-')})" for each in titles)
    return f"{', '.join(links)}."


def _first(function: Function) -> str:
    """Return its first sentence, without what follows a semicolon or a colon."""
    return plain(re.split(r"[.;:](?: |$)", function.contract.summary, maxsplit=1)[0])


def _function(function: Function, links: set[str]) -> Iterator[str]:
    contract = function.contract
    yield f"### {function.name}\n"
    yield paragraph(_marked(contract.summary, links)) + "\n"
    if function.arguments:
        rows = [
            (f"`{each.name}`", each.kind, _default(each), _marked(each.meaning, links))
            for each in function.arguments
        ]
        yield table(("argument", "type", "default", "meaning"), rows) + "\n"
    yield from _returns(function, links)
    for label in ("Raises", "Writes", "Locks", "Access"):
        if entries := contract.part(label):
            yield paragraph(f"- **{label}** {_marked('; '.join(entries), links)}", "  ")
    yield ""


def _returns(function: Function, links: set[str]) -> Iterator[str]:
    """Say what comes back, and what is in its columns; or, of JSON, behind its keys."""
    contract = function.contract
    columns = function.columns
    told = [each for each in contract.part("Returns") if not _is_column(each, contract.columns)]
    if not function.result or (function.returns == "void" and not told):
        return
    kind = "" if columns else f" `{function.returns}`" + (":" if told else "")
    if columns and not told:
        told = ["these columns"] if function.returns.startswith("TABLE") else ["one row"]
    yield paragraph(f"**Returns**{kind} {_marked('; '.join(told), links)}".rstrip()) + "\n"
    if any(each.meaning for each in columns):
        rows = [(f"`{each.name}`", each.kind, _marked(each.meaning, links)) for each in columns]
        yield table(("column", "type", "meaning"), rows) + "\n"
    elif columns:
        yield paragraph(", ".join(f"`{each.name}` {each.kind}" for each in columns)) + "\n"
    elif contract.columns:
        keys = [(f"`{key}`", _marked(each, links)) for key, each in contract.columns.items()]
        yield table(("key", "meaning"), keys) + "\n"


def _is_column(entry: str, columns: dict[str, str]) -> bool:
    return entry.split(" - ")[0].split(", ")[0] in columns and " - " in entry


def _default(argument: Argument) -> str:
    if argument.default is None:
        return ""
    value = re.sub(r"::[a-z ]+(\[\])?$", "", argument.default)
    return "null" if value == "NULL" else f"`{value}`"


def _marked(text: str, links: set[str]) -> str:
    """Set apart what is code; functions lead to where they stand."""

    def call(found: re.Match[str]) -> str:
        return f"[`{found[0]}`](#{found[1]})" if found[1] in links else f"`{found[0]}`"

    text = re.sub(r"\b(SY\d{3}|\d\w\w\d{2}(?= [a-z]+_)|symphony\.\w+)\b", r"`\1`", plain(text))
    return re.sub(r"(?<![\w.`-])(\w+)\(\)", call, text)


def _relation(relation: Relation) -> str:
    lines = [f"### {relation.name}\n", paragraph(plain(relation.comment)) + "\n"]
    if any(comment for _, _, comment in relation.columns):
        rows = [
            (f"`{name}`", short(kind or ""), plain(comment or ""))
            for name, kind, comment in relation.columns
        ]
        lines.append(table(("column", "type", ""), rows))
    else:
        columns = (f"`{name}` {short(kind or '')}" for name, kind, _ in relation.columns)
        lines.append(paragraph(", ".join(columns)))
    return "\n".join([*lines, ""])


def write(conn: psycopg.Connection[Any]) -> Sequence[Path]:
    """Write the pages, and return where they are."""
    TARGET.write_text(text(conn))
    errors.TARGET.write_text(errors.text(conn))
    return TARGET, errors.TARGET


def main() -> int:
    """Write the pages."""
    with psycopg.connect(os.environ["SYMPHONY_DSN"], autocommit=True) as conn:
        if conn.execute("select to_regnamespace('symphony')").fetchone() == (None,):
            conn.execute((ROOT / "build" / "symphony.sql").read_bytes())
        pages = write(conn)
    sys.stdout.writelines(f"{page.relative_to(ROOT)}\n" for page in pages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
