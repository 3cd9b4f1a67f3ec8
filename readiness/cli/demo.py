"""`readiness demo`: everything in one go."""

import click


@click.command()
def demo() -> None:
    """Show all of it."""
