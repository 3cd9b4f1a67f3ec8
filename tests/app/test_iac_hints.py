"""From a plan or an estate to hints, and to a report on disk beside the code."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from readiness.app.estates import locate
from readiness.app.iac_hints import Folders, iac_report, shown, write_report
from readiness.app.plan import create_plan
from readiness.errors import PlanError, UsageError
from readiness.model.iac import hint_for
from readiness.store.artefacts import read_plan, write_plan
from tests.engine import shared_estate

DAY = date(2026, 11, 22)
CODE = """\
resource "azurerm_linux_virtual_machine" "web" {
  name = "sf-web-01"
}
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return a folder of code that holds one VM of the starter estate."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "main.tf").write_text(CODE)
    return tmp_path / "infra"


def test_a_plan_and_its_estate_say_the_same(tmp_path: Path) -> None:
    """The hints of a written plan are those of the estate it was made from, on its day."""
    create_plan(locate("starter"), tmp_path, DAY)
    assert iac_report(str(tmp_path), DAY) == iac_report("starter", DAY)
    assert iac_report(str(tmp_path / "plan.json"), DAY).vms


def test_a_report_is_written_beside_the_code(code: Path, tmp_path: Path) -> None:
    """Every form is written, git takes the diff, the same input gives the same bytes, and no code changes."""
    report = iac_report("starter", DAY, Folders(terraform=code))
    written = write_report(report, tmp_path / "out", Folders(terraform=code))
    first = [path.read_bytes() for path in written]
    assert ["iac.txt", "iac.md", "iac.json", "terraform.diff"] == [path.name for path in written]
    again = write_report(
        iac_report("starter", DAY, Folders(terraform=code)), tmp_path / "out", Folders(terraform=code)
    )
    assert first == [path.read_bytes() for path in again]
    assert CODE == (code / "main.tf").read_text()
    subprocess.run(
        ["git", "apply", "--unsafe-paths", tmp_path / "out" / "terraform.diff"], cwd=code, check=True
    )
    after = (code / "main.tf").read_text()
    assert "ignore_changes = [secure_boot_enabled, vtpm_enabled]" in after
    assert () == iac_report("starter", DAY, Folders(terraform=code)).patches
    assert "readiness/iac/1" == json.loads(shown(report, "json"))["format"]


def test_terraform_in_json_is_of_terraforms_diff(code: Path, tmp_path: Path) -> None:
    """Both kinds of Terraform's files are in one diff: their paths are those from one folder."""
    vm = {"resource": {"azurerm_linux_virtual_machine": {"other": {"name": "sf-web-02"}}}}
    (code / "more.tf.json").write_text(json.dumps(vm, indent=2))
    report = iac_report("starter", DAY, Folders(terraform=code))
    written = write_report(report, tmp_path / "out", Folders(terraform=code))
    assert ["iac.txt", "iac.md", "iac.json", "terraform.diff"] == [path.name for path in written]
    text = written[-1].read_text()
    assert ["main.tf", "more.tf.json"] == [
        line.removeprefix("+++ b/") for line in text.splitlines() if line.startswith("+++ ")
    ]


RULES = """\
resource "azurerm_network_security_group" "office" {
  name = "nsg-backoffice"
  security_rule {
    name                  = "ssh-from-anywhere"
    source_address_prefix = "*"
  }
}
"""


def test_a_group_that_was_tightened_is_edited(tmp_path: Path) -> None:
    """What `readiness tighten` does to a shared group is one diff: the rule it narrows, and the new ones."""
    write_plan(tmp_path / "plan", shared_estate.plan())
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "main.tf").write_text(RULES)
    report = iac_report(str(tmp_path / "plan"), DAY, Folders(terraform=tmp_path / "infra"))
    (patch,) = report.patches
    (tmp_path / "infra" / "x.diff").write_text(patch.diff)
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=tmp_path / "infra", check=True)
    after = (tmp_path / "infra" / "main.tf").read_text()
    narrowed = RULES.replace('prefix = "*"', 'prefixes = ["10.0.0.0/8", "198.51.100.0/24"]')
    assert after.startswith(narrowed.removesuffix("}\n"))
    names = ("readiness-allow-remote-from-anywhere", "readiness-deny-remote-from-anywhere")
    assert [1, 1] == [after.count(f'name = "{name}"') for name in names]
    assert () == iac_report(str(tmp_path / "plan"), DAY, Folders(terraform=tmp_path / "infra")).patches


def test_nothing_is_written_into_the_code(code: Path) -> None:
    """A report is refused within the folder of code."""
    with pytest.raises(UsageError, match="is within the code"):
        write_report(
            iac_report("starter", DAY, Folders(terraform=code)), code / "out", Folders(terraform=code)
        )
    assert ["main.tf"] == [path.name for path in code.iterdir()]


def test_no_plan(tmp_path: Path) -> None:
    """A file that is no plan is refused."""
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(PlanError):
        iac_report(str(tmp_path / "plan.json"), DAY)


def test_the_plan_is_told_before_the_change(tmp_path: Path) -> None:
    """Each VM with settings has one sentence that names what replaces it first; one without has none."""
    create_plan(locate("starter"), tmp_path, DAY)
    hints = {vm.name: hint_for(vm) for vm in read_plan(tmp_path).vms}
    assert (
        "Code has to follow, or its next run goes wrong: secure_boot_enabled, vtpm_enabled would "
        "replace it; identity.type, encryption_at_host_enabled would be undone; disk_encryption_set_id, "
        "os_disk.disk_encryption_set_id would make it fail. "
        "Details: readiness report iac"
    ) == hints["sf-web-01"]
