"""The pieces of Markdown that the generated pages are made of."""

import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100


def paragraph(text: str, indent: str = "") -> str:
    """Wrap a text; lines after the first are indented."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its texts are as they will be."""
    lines = [_row(head), "|" + "---|" * len(head), *(_row(each) for each in rows)]
    return "\n".join(lines)


def plain(text: str) -> str:
    """Return a text that Markdown leaves as it is."""
    text = " ".join(text.split()).replace("<", "&lt;").replace("*", "\\*")
    return re.sub(r" - ", ": ", text)


def _row(cells: Sequence[str]) -> str:
    return " ".join(["|", " | ".join(each.replace("|", "\\|") for each in cells), "|"])
