"""`readiness report`: what plans and runs come to, for people."""

import click

from readiness.cli import report_runbook


@click.group()
def report() -> None:
    """Write reports of plans and runs."""


report_runbook.register(report)
