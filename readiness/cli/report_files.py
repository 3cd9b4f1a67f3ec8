"""Says what became of the folder a report was written to, on standard error."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from readiness.app.report_files import Written


def tell_files(written: "Written") -> None:
    """Name the files that were written, those of an earlier report that are gone, and those to look at."""
    told = (("Written", written.files), ("Removed, of an earlier report", written.removed))
    for what, paths in told:
        for path in paths:
            click.echo(f"{what}: {path}", err=True)
    for path in written.left:
        why = "somebody changed it, or it was never part of one; it stays where it is"
        click.echo(f"Not of this report: {path} ({why})", err=True)
