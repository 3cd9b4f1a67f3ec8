"""`readiness rehearse`: the whole plan in virtual time, before any window."""

from pathlib import Path

import click

from readiness.cli.console import LiveLines, advise, harmless, print_json, say, show_run

_PLAN = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("plan", type=_PLAN)
@click.option("--estate", help="Estate to make the twin of (default: the sample estate the plan names).")
@click.option("--wave", type=click.IntRange(1), multiple=True, help="Only this wave (default: all).")
@click.option("--faults", type=_FILE, help="File of scripted trouble, YAML or JSON.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the twin's durations and troubles.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--quiet", is_flag=True, help="Print failures and the result only.")
def rehearse(
    plan: Path,
    estate: str | None,
    wave: tuple[int, ...],
    faults: Path | None,
    seed: int,
    output: str,
    quiet: bool,
) -> int:
    """Carry PLAN out on a twin in this process, in virtual time: preparation, outages, soak and closure.

    The same engine and the same Azure clients as in a run; nothing leaves this machine and nothing is
    remembered. The durations are assumed, not measured.

    \b
    Examples:
      readiness rehearse out/starter
      readiness rehearse out/june --estate ./estate --wave 3 --faults faults.yaml --quiet
    """
    from readiness.app.rehearsing import rehearse as carry_out
    from readiness.app.run_status import exit_of

    is_json = output == "json"
    found = carry_out(plan, estate, faults, LiveLines(quiet=quiet, silent=is_json), waves=wave, seed=seed)
    if is_json:
        print_json(found.report())
        return exit_of(*found.states)
    for state in found.states:
        show_run(state)
    advise(found.states)
    for line in found.sums():
        say(harmless(line))
    say("Rehearsed on a twin in this process; durations are assumed, not measured.")
    return exit_of(*found.states)
