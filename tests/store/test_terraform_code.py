"""Where a value of Terraform code comes from is told with file and line; only what is certain is followed."""

from pathlib import Path

from readiness.model.iac import Patch, Remark
from readiness.store.terraform_files import read_terraform
from tests.store.test_terraform_files import settings


def read(folder: Path, files: dict[str, str]) -> tuple[list[Patch], list[Remark]]:
    """Read a folder of code."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return read_terraform(folder, settings())


def remedies(remarks: list[Remark], what: str) -> list[str]:
    """Return the remedies of the remarks that say something."""
    return [remark.remedy for remark in remarks if what in remark.what]


VM = 'resource "azurerm_linux_virtual_machine" "a" {{\n  name = {}\n}}\n'


def test_a_variable_is_followed_to_whoever_sets_it(tmp_path: Path) -> None:
    """Declaration, default, files of values in both forms: each is named with its line."""
    code = VM.format('"vm1"\n  secure_boot_enabled = var.boot')
    _, remarks = read(
        tmp_path,
        {
            "main.tf": code,
            "variables.tf": 'variable "boot" {\n  default = false\n}\n',
            "prod.tfvars": "x = 1\nboot = true\n",
            "test.auto.tfvars.json": '{\n\n "boot": false}',
            "other/boot.tfvars": "boot = true\n",
        },
    )
    told = (
        "Set it where the value comes from: var.boot is declared in variables.tf:1 with a default in line 2"
    )
    assert [f"{told}, set in prod.tfvars:2, set in test.auto.tfvars.json:3."] == remedies(
        remarks, "secure_boot_enabled is an expression"
    )


def test_a_variable_of_a_module_is_followed_to_its_calls(tmp_path: Path) -> None:
    """The argument of the call, and what feeds that; a loop's own words lead to what it goes over."""
    _, remarks = read(
        tmp_path,
        {
            "main.tf": 'module "shop" {\n  source = "./modules/vm"\n  for_each = local.vms\n'
            '  name   = each.value.name\n}\nlocals {\n  vms = { a = { name = "vm1" } }\n}\n',
            "modules/vm/main.tf": VM.format("var.name"),
            "modules/vm/variables.tf": 'variable "name" {}\n',
        },
    )
    (told,) = remedies(remarks, "has a name that is an expression")
    assert "var.name is declared in modules/vm/variables.tf:1, passed by module.shop in main.tf:4;" in told
    assert "each.value is of for_each in main.tf:3; local.vms is in main.tf:7." in told
    assert ["Follow it from there to the block that makes it."] == remedies(remarks, "vm1 is named where")
    (named,) = [one.what for one in remarks if "vm1 is named where" in one.what]
    assert named.endswith(": main.tf:7")


def test_loops_are_told_with_what_feeds_them(tmp_path: Path) -> None:
    """A loop over a variable, and a dynamic block, lead to the variable."""
    block = 'dynamic "identity" {\n    for_each = var.ids\n    content {}\n  }'
    _, remarks = read(
        tmp_path,
        {
            "main.tf": VM.format("each.key\n  for_each = var.vms")
            + VM.replace('"a"', '"b"').format(f'"vm1"\n  {block}'),
            "variables.tf": 'variable "vms" {}\nvariable "ids" {}\n',
        },
    )
    assert any("var.ids is declared in variables.tf:2." in one for one in remedies(remarks, "dynamic block"))
    _, remarks = read(tmp_path, {"main.tf": VM.format("each.key\n  for_each = var.vms")})
    (told,) = remedies(remarks, "is made by a loop (for_each)")
    assert "each.key is of for_each in main.tf:3; var.vms is declared in variables.tf:1" in told


def test_what_is_certain_is_followed(tmp_path: Path) -> None:
    """Locals, texts made of them, and names of other resources are as good as written out."""
    files = {
        "locals.tf": 'locals {\n  prefix = "v"\n  name = "${local.prefix}m1"\n}\n',
        "main.tf": VM.format("local.name\n  resource_group_name = azurerm_resource_group.main.name")
        + 'resource "azurerm_resource_group" "main" {\n  name = "rg-app"\n}\n',
    }
    assert ["main.tf"] == [patch.file for patch in read(tmp_path, files)[0]]
    other = files | {"main.tf": files["main.tf"].replace("rg-app", "rg-other")}
    assert [] == read(tmp_path, other)[0]


def test_what_is_not_certain_is_not_followed(tmp_path: Path) -> None:
    """A default may be overruled, a function may say anything, and a circle has no end."""
    for name in ("var.name", '"${var.name}"', "local.a", "lower(local.b)", '"%{ if true }vm1%{ endif }"'):
        declared = 'variable "name" {\n  default = "vm1"\n}\n'
        declared += 'locals {\n  a = local.c\n  b = "vm1"\n  c = local.a\n}\n'
        patches, remarks = read(tmp_path, {"main.tf": VM.format(name), "variables.tf": declared})
        assert [] == patches
        assert remedies(remarks, "has a name that is an expression")


def test_a_module_that_is_called_twice_is_not_edited(tmp_path: Path) -> None:
    """A block with a name written out stands for several VMs where its module is called several times."""
    call = 'module "{}" {{\n  source = "./vm"\n}}\n'
    once = {"main.tf": call.format("a"), "vm/main.tf": VM.format('"vm1"')}
    assert ["vm/main.tf"] == [patch.file for patch in read(tmp_path, once)[0]]
    for twice in (
        call.format("a") + call.format("b"),
        call.format("a").replace("}", "  count = 2\n}"),
    ):
        patches, remarks = read(tmp_path, once | {"main.tf": twice})
        assert [] == patches
        assert remedies(remarks, "is in a module that is called several times")
    deeper = {"top.tf": call.format("x").replace("./vm", "./mid") + call.format("y").replace("./vm", "./mid")}
    middle = {"mid/main.tf": call.format("a").replace("./vm", "../vm"), "main.tf": ""}
    assert [] == read(tmp_path, once | middle | deeper)[0]
    circle = {
        "top.tf": call.format("a").replace("./vm", "./."),
        "mid/main.tf": "",
        "main.tf": VM.format('"vm1"'),
    }
    assert isinstance(read(tmp_path, circle), tuple)


def test_scale_sets_are_left_alone(tmp_path: Path) -> None:
    """A scale set of the VM's name is none of its code, and neither is its template's disk."""
    code = "".join(
        VM.replace("azurerm_linux_virtual_machine", kind).format('"vm1"')
        for kind in (
            "azurerm_orchestrated_virtual_machine_scale_set",
            "azurerm_linux_virtual_machine_scale_set",
        )
    )
    assert [] == read(tmp_path, {"main.tf": code})[0]
