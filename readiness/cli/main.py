"""The `readiness` command, and the one place where errors become text and exit codes."""

import sys
from collections.abc import Sequence

import click

from readiness.cli.assess import assess
from readiness.cli.collect import collect
from readiness.cli.console import explain
from readiness.cli.demo import demo
from readiness.cli.exceptions import exceptions
from readiness.cli.explain import explain_vm
from readiness.cli.generate import generate
from readiness.cli.import_command import import_files
from readiness.cli.keeping import audit, permissions, snapshots
from readiness.cli.plan import plan
from readiness.cli.rehearse import rehearse
from readiness.cli.report import report
from readiness.cli.run import close, prepare, recover, retry, rollback, run, tighten
from readiness.cli.twin import twin
from readiness.cli.watch import approve, pause, reject, resume, status, stop
from readiness.errors import Exit, ReadinessError

SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "auto_envvar_prefix": "READINESS",
    "max_content_width": 100,
}


@click.group(context_settings=SETTINGS)
@click.version_option(package_name="readiness")
def readiness() -> None:
    """Take an Azure estate of virtual machines to the secure-by-default baseline.

    Nothing is changed in Azure by any command but 'prepare', 'run', 'close', 'tighten', 'retry',
    'rollback' and 'snapshots delete', and by those only with --live.

    \b
    Try it on an invented estate, without Azure:
      readiness demo
      readiness assess starter
      readiness plan create starter --to out/starter
    """


for _command in (
    collect,
    import_files,
    generate,
    assess,
    explain_vm,
    exceptions,
    plan,
    rehearse,
    prepare,
    run,
    close,
    tighten,
    status,
    stop,
    pause,
    resume,
    approve,
    reject,
    retry,
    rollback,
    recover,
    snapshots,
    audit,
    permissions,
    report,
    twin,
    demo,
):
    readiness.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = readiness.main(args=arguments, prog_name="readiness", standalone_mode=False)
    except ReadinessError as error:
        explain(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(Exit.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else Exit.DONE)
