"""The screen of symphony-pg top. It needs textual."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from threading import Lock
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Input, Static

from ..database.client import Client
from ..database.functions.failed import FailedGroup
from ..database.functions.health import Incident
from ..errors import SymphonyError
from .cells import AtLeast, show_cell
from .glance import Glance, glance

PERIOD = 2.0
COLOURS = {"critical": "bold red", "warning": "yellow", "note": "dim"}
LINES_OF_INCIDENTS = 7


class Top(App[None]):
    """Everything at a glance, and keys to act."""

    TITLE = "Symphony"
    CSS = """
    #now { height: auto; max-height: 7; padding: 0 1; }
    #filter { display: none; height: 3; }
    #filter.shown { display: block; }
    #queues { height: 1fr; }
    #failed { height: 5; }
    #workers { height: auto; max-height: 3; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("p", "pause", "Pause or resume"),
        ("r", "retry", "Retry"),
        ("slash", "filter", "Filter"),
        ("q", "quit", "End"),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._seen: Glance | None = None
        self._wanted = ""
        self._asked: FailedGroup | None = None
        self._turn = Lock()  # the client has one connection

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="now")
        yield Input(placeholder="part of a queue's name", id="filter")
        yield DataTable[str](id="queues", cursor_type="row")
        yield DataTable[str](id="failed", cursor_type="row")
        yield Static(id="workers")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        queues = self.query_one("#queues", DataTable)
        queues.add_columns(
            "queue", "pending", "running", "failed", "oldest", "in/min", "out/min", "10 min"
        )
        self.query_one("#failed", DataTable).add_columns("failed", "error", "queue", "messages")
        queues.focus()
        self.look()
        self.set_interval(PERIOD, self.look)

    @work(thread=True, exclusive=True, group="database")
    def look(self) -> None:
        """Read it, beside the screen."""
        try:
            with self._turn:
                seen = glance(self._client)
        except Exception as error:
            self.call_from_thread(self.say, str(error))
            return
        self.call_from_thread(self.show, seen)

    def say(self, text: str) -> None:
        """Tell something at the top."""
        self.query_one("#now", Static).update(Text(text, "bold red"))

    def show(self, seen: Glance) -> None:
        """Show what was read; the cursors stay where they are."""
        told = _told(seen.incidents, self.size.width - 2)
        self.query_one("#now", Static).update(told if seen.incidents else "Nothing is wrong.")
        if not seen.is_whole:
            return  # the tables keep what was read before
        self._seen = seen
        self._fill("queues", [
            (
                q.queue_name + (" (paused)" if q.paused else ""),
                *(_count(getattr(q, n), n in q.at_least) for n in ("pending", "processing")),
                _count(q.failed, "failed" in q.at_least),
                show_cell(q.oldest_pending_age),
                f"{q.inflow:.0f}",
                f"{q.outflow:.0f}",
                bars,
            )
            for q, bars in seen.lines
            if self._wanted in q.queue_name
        ], [q.queue_name for q, _ in seen.lines if self._wanted in q.queue_name])  # fmt: skip
        self._fill("failed", [
            (
                show_cell(each.message_type),
                show_cell(each.error_class),
                each.queue_name,
                _count(each.messages, "messages" in each.at_least),
            )
            for each in seen.groups
        ], [f"{number}" for number, _ in enumerate(seen.groups)])  # fmt: skip
        workers = [f"{each.worker} {each.state} ({each.processing})" for each in seen.workers]
        shown = f"workers: {', '.join(workers) or 'none is known'}"
        self.query_one("#workers", Static).update(Text(shown, no_wrap=True, overflow="ellipsis"))

    def _fill(self, name: str, rows: list[tuple[str, ...]], keys: list[str]) -> None:
        table = self.query_one(f"#{name}", DataTable)
        place = table.cursor_row
        table.clear()
        for key, row in zip(keys, rows, strict=True):
            table.add_row(*(Text(cell) for cell in row), key=key)
        table.move_cursor(row=min(place, len(rows) - 1))

    def action_pause(self) -> None:
        """Pause the queue under the cursor, or resume it."""
        table = self.query_one("#queues", DataTable)
        if not table.row_count or self._seen is None:
            return
        name = str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)
        paused = next(q.paused for q, _ in self._seen.lines if q.queue_name == name)
        self.change(name, paused)

    @work(thread=True, group="database")
    def change(self, queue: str, paused: bool) -> None:
        """Do it, beside the screen, and look."""
        try:
            with self._turn:
                if paused:
                    self._client.resume_queue(queue)
                else:
                    self._client.pause_queue(queue)
        except SymphonyError as error:
            self.call_from_thread(self.notify, str(error), severity="error")
        self.call_from_thread(self.look)

    def action_retry(self) -> None:
        """Retry the failed group under the cursor, as it was at the first of two presses."""
        table = self.query_one("#failed", DataTable)
        if self._seen is None or not 0 <= table.cursor_row < len(self._seen.groups):
            return
        group = self._seen.groups[table.cursor_row]
        asked, self._asked = self._asked, None
        if asked is None or asked[:3] != group[:3]:
            self._asked = group
            count = _count(group.messages, bool(group.at_least))
            self.notify(f"Press r again to retry {count} of {group.message_type}.")
            return
        self.retry(asked)

    @work(thread=True, group="database")
    def retry(self, group: FailedGroup) -> None:
        """Bring back what had failed when it was shown."""
        try:
            with self._turn:
                (done,) = self._client.retry_failed(
                    queue_name=group.queue_name,
                    message_type=group.message_type,
                    error_class=group.error_class or "",
                    until=group.newest_at,
                    at_most=group.messages,
                    up_to_id=group.example_id,
                )
        except SymphonyError as error:
            self.call_from_thread(self.notify, str(error), severity="error")
        else:
            self.call_from_thread(self.notify, f"{done.messages:,} messages are pending again.")
        self.call_from_thread(self.look)

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        box = self.query_one("#filter", Input)
        box.add_class("shown")
        box.focus()

    @on(Input.Submitted)
    def filtered(self, event: Input.Submitted) -> None:
        """Show only the queues with it."""
        self._wanted = event.value.strip()
        event.input.remove_class("shown")
        self.query_one("#queues", DataTable).focus()
        if self._seen is not None:
            self.show(self._seen)


def _told(incidents: Sequence[Incident], width: int) -> Text:
    """Return what is wrong with its causes, as many whole ones as there is room for.

    The worst is told in full, with what helps, and cut only if it is longer than the room.
    """
    lines: list[Text] = []
    for place, each in enumerate(incidents):
        parts = [(f"{each.severity}: {each.sentence}", COLOURS[each.severity])]
        parts += [(f"  {each.cause}", "")]
        parts += [(f"  $ {each.command}", "dim")] if place == 0 and each.command else []
        told = [
            Text(line, style)
            for text, style in parts
            for line in textwrap.wrap(text, width, subsequent_indent="  ")
        ]
        left = len(incidents) - place
        room = LINES_OF_INCIDENTS - len(lines) - (left > 1)
        if place and len(told) > room:
            lines.append(Text(f"and {left} more: symphony-pg doctor", "dim"))
            break
        lines += told[:room]
    return Text("\n").join(lines)


def _count(number: int, at_least: bool) -> str:
    return show_cell(AtLeast(number) if at_least else number)
