"""The printed runbook of one wave: everything a person needs to carry it out by hand, as HTML or Markdown.

Guarantees: its steps are the values that the engine would carry out, so that it cannot say anything else;
every text from outside is shown as text. The HTML is one page that fetches nothing, prints with each VM on
pages of its own, and can be read on a phone. The same input gives the same bytes.
"""

from typing import Any

from reports import words
from reports.az import plain
from reports.runbook_markdown import lines
from reports.runbook_pages import BY_HAND, Runbook, stands


def runbook_html(runbook: Runbook) -> bytes:
    """Return a runbook as one HTML page."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters["stands"] = stands
    page = environment.get_template("runbook.html.j2").render(
        book=runbook, rules=BY_HAND, words=words, undo=words.UNDO
    )
    return page.encode()


def runbook_markdown(runbook: Runbook) -> bytes:
    """Return a runbook as Markdown."""
    return ("\n".join(lines(runbook)) + "\n").encode()


def _visible(value: Any) -> Any:
    """Make every character of text visible; escaping comes after that."""
    is_markup = hasattr(value, "__html__")
    return plain(value) if isinstance(value, str) and not is_markup else value
