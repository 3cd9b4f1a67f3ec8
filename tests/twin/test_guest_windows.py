"""Windows guests: PowerShell, MBR2GPT, and what a conversion is good for."""

import json

import pytest

from tests.twin.seeds import TRUSTED, VM, Wire, disk, estate, vm
from tests.twin.test_guest import telling

VALIDATE = "mbr2gpt.exe /validate /allowFullOS; exit $LASTEXITCODE"
CONVERT = '& "$env:windir\\System32\\mbr2gpt.exe" /convert /allowFullOS\nexit $LASTEXITCODE'


def windows(**said) -> Wire:
    """A running generation 1 Windows machine."""
    machine = vm(osProfile={"computerName": "web-1", "adminUsername": "boss"})
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    first = disk("web-1-os", hyperVGeneration="V1", osType="Windows", diskSizeGB=127)
    return Wire(*estate(first, machine=telling(machine, **said)))


def run(wire: Wire, script: str) -> tuple[int, str, str]:
    """Carry a script out as a managed run command; return exit code, output and errors."""
    body = {"location": "westeurope", "properties": {"source": {"script": script}}}
    wire.do("PUT", f"{VM}/runCommands/probe", body)
    view = wire.get(f"{VM}/runCommands/probe", query={"$expand": "instanceView"})["properties"][
        "instanceView"
    ]
    return view["exitCode"], view["output"], view["error"]


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("$x = 2; if ($x -gt 1 -and $true) { 'big' } else { 'small' }", "big\n"),
        ('foreach ($n in 1,2,3) { if ($n -ne 2) { "n=$n" } }', "n=1\nn=3\n"),
        ("try { Get-Nope -ErrorAction Stop } catch { 'caught' }", "caught\n"),
        ("(Get-CimInstance Win32_ComputerSystem).PartOfDomain", "False\n"),
        ("(Get-CimInstance -ClassName Win32_ComputerSystem).DomainRole", "2\n"),
        ("(Get-Disk -Number 0).PartitionStyle", "MBR\n"),
        ("(Get-Partition -DiskNumber 0 | Measure-Object).Count", "2\n"),
        ("@{a = 1; b = @('x','y')} | ConvertTo-Json -Compress", '{"a":1,"b":["x","y"]}\n'),
        (
            "Get-Service | Where-Object { $_.Name -like 'Rd*' } | Select-Object -ExpandProperty Name",
            "RdAgent\n",
        ),
        ("Test-Path 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server'", "True\n"),
        ("(Get-BitLockerVolume -MountPoint 'C:').ProtectionStatus.ToString().ToLower()", "off\n"),
        ("'a,b'.Split(',')[1]; 'x{0}' -f 5; \"sum $(1 + 2)\"", "b\nx5\nsum 3\n"),
        ("Get-LocalUser | ForEach-Object { $_.Name }", "boss\n"),
        ("# nothing\n<# at\nall #>", ""),
    ],
)
def test_powershell_means_what_it_says(script, output):
    """Variables, conditions, loops, pipelines and the known cmdlets act as in Windows PowerShell."""
    assert (0, output, "") == run(windows(), script)


def test_what_is_not_known_is_an_error_record():
    """An unknown command is PowerShell's CommandNotFoundException; the script goes on unless told to stop."""
    code, output, error = run(windows(), "Get-Nope\n'on'")
    assert (0, "on\n") == (code, output)
    assert "'Get-Nope' is not recognized as the name of a cmdlet" in error
    assert "CommandNotFoundException" in error
    assert (1, "") == run(windows(), "$ErrorActionPreference = 'Stop'\nGet-Nope\n'on'")[:2]


def test_a_syntax_error_runs_nothing():
    """A script that cannot be read ends with 1 and has done nothing."""
    code, output, error = run(windows(), "'first'\nif ($true { 'x' }")
    assert (1, "") == (code, output)
    assert "ParserError" in error


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, 0),
        ({"primary_partitions": 4}, 7),
        ({"bitlocker": True}, 6),
        ({"partition_style": "gpt"}, 7),
    ],
)
def test_mbr2gpt_says_why_not(said, code):
    """Validation ends with the documented codes: 6 for an encrypted volume, 7 for a layout that does not fit.

    MBR2GPT.EXE, https://learn.microsoft.com/windows/deployment/mbr-to-gpt
    """
    assert code == run(windows(**said), VALIDATE)[0]


def test_mbr2gpt_asks_for_its_option():
    """In the running system MBR2GPT wants /allowFullOS, and one verb."""
    assert 4 == run(windows(), "mbr2gpt /validate; exit $LASTEXITCODE")[0]
    assert 4 == run(windows(), "mbr2gpt /allowFullOS; exit $LASTEXITCODE")[0]


@pytest.mark.parametrize(("converts", "agent"), [(True, "Ready"), (False, "Not Ready")])
def test_a_conversion_is_what_trusted_launch_needs(converts, agent):
    """A generation 1 Windows machine boots after the upgrade only if its disk was converted before.

    Upgrade Gen1 VMs, https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm-gen-1
    """
    wire = windows()
    if converts:
        assert 0 == run(wire, CONVERT)[0]
    wire.do("POST", f"{VM}/deallocate")
    wire.do("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(600)
    assert agent == wire.agent()


def test_a_converted_disk_does_not_boot_the_old_way():
    """A machine that is restarted between its conversion and its upgrade does not come up again."""
    wire = windows()
    run(wire, CONVERT)
    wire.do("POST", f"{VM}/restart")
    wire.clock.sleep(600)
    assert "Not Ready" == wire.agent()


def test_domain_controllers_say_so():
    """DomainRole 5, the directory's service, and no local users: that is a domain controller."""
    wire = windows(domain="corp.example.com", domain_controller=True)
    script = (
        "$c = Get-CimInstance Win32_ComputerSystem\n"
        "@{role=$c.DomainRole; domain=$c.Domain; ntds=(Get-Service NTDS).Status} | ConvertTo-Json -Compress"
    )
    assert {"role": 5, "domain": "corp.example.com", "ntds": "Running"} == json.loads(run(wire, script)[1])
    assert "error code" in run(wire, "Get-LocalUser")[2]
