"""What is true inside a machine, how it came to be, and how it boots."""

import json

import pytest

from readiness.twin import seed
from readiness.twin.guest import inside
from readiness.twin.guest.system import Guest
from readiness.twin.seed import SeedError
from tests.twin.seeds import OS_DISK, TRUSTED, VM, Wire, deallocated, disk, estate, vm

TO_TRUSTED = {"properties": {"securityProfile": TRUSTED}}
MARKET = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}


def telling(machine: dict, **said) -> dict:
    """A machine of which a seed says something."""
    return machine | {"twin": {"guest": said}}


def guest_of(wire: Wire, resource_id: str = VM) -> Guest:
    """The guest of a machine."""
    state = wire.twin._world.state
    found = state.find(resource_id)
    assert found is not None
    return inside.guest_of(state, found, now=wire.clock.now(), seed=0)


def booted(wire: Wire) -> str | None:
    """Start a machine and return what its agent says ten minutes later."""
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(600)
    return wire.agent()


@pytest.mark.parametrize(
    ("is_on", "is_unsigned", "agent"),
    [(True, True, "Not Ready"), (False, True, "Ready"), (True, False, "Ready")],
)
def test_secure_boot_stops_what_is_not_signed(is_on, is_unsigned, agent):
    """With Secure Boot a machine with an unsigned boot component runs and never comes up.

    Trusted Launch - FAQ, https://learn.microsoft.com/azure/virtual-machines/trusted-launch-faq
    """
    profile = TRUSTED | {"uefiSettings": {"secureBootEnabled": is_on, "vTpmEnabled": True}}
    machine = telling(deallocated(securityProfile=profile), unsigned_boot_component=is_unsigned)
    wire = Wire(*estate(machine=machine))
    assert agent == booted(wire)
    assert "PowerState/running" == wire.power()
    assert any("Boot failed" in line for line in guest_of(wire).console) is (agent == "Not Ready")


def test_secure_boot_switched_off_brings_it_back():
    """Switching Secure Boot off restarts the machine, which then comes up."""
    machine = telling(deallocated(securityProfile=TRUSTED), unsigned_boot_component=True)
    wire = Wire(*estate(machine=machine))
    assert "Not Ready" == booted(wire)
    off = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": False, "vTpmEnabled": True}}
    wire.do("PATCH", VM, {"properties": {"securityProfile": off}})
    wire.clock.sleep(60)
    assert "Ready" == wire.agent()


@pytest.mark.parametrize(
    ("image", "agent"), [(MARKET, "Ready"), (None, "Not Ready")], ids=["Canonical's image", "own image"]
)
def test_endorsed_images_boot_either_way(image, agent):
    """Generation 1 images of Canonical, Red Hat and SUSE carry GPT and ESP already; others may not.

    Upgrade Gen1 VMs, https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm-gen-1
    """
    machine = deallocated()
    if image is not None:
        machine["properties"]["storageProfile"]["imageReference"] = image
    wire = Wire(*estate(disk("web-1-os", hyperVGeneration="V1"), machine=machine))
    wire.do("PATCH", VM, TO_TRUSTED)
    assert agent == booted(wire)


def test_the_same_seed_makes_the_same_guest():
    """What is drawn is drawn by seed and id: two twins of one estate have the same guests."""
    one, other = guest_of(Wire()), guest_of(Wire())
    assert one.logins == other.logins
    assert one.files.held == other.files.held


def test_what_is_said_is_so():
    """A seed says what is true, whatever would have been drawn."""
    wire = Wire(
        *estate(
            machine=telling(
                vm(),
                users=[{"name": "svc", "password": True}],
                logins=[{"user": "svc", "method": "password", "days_ago": 3}],
                files={"/etc/ssh/sshd_config.d/00-own.conf": "PasswordAuthentication no\n"},
                unsigned_modules=["falcon"],
                cluster="db",
                services={"ssh": "failed"},
                distribution="debian",
                version="12",
            )
        )
    )
    made = guest_of(wire)
    assert [("svc", "password")] == [(each.user, each.method) for each in made.logins]
    assert ("db", "failed", "debian") == (made.cluster, made.services["ssh"].state, made.distribution)
    assert ["falcon"] == [each.name for each in made.modules if not each.is_signed]
    assert made.files.is_file("/etc/ssh/sshd_config.d/00-own.conf")


def test_provisioning_shows_in_the_guest():
    """A machine made with keys alone has no password, and its keys are in the account's file."""
    key = "ssh-ed25519 AAAAC3Nz ann"
    profile = {
        "adminUsername": "me",
        "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"path": "/home/me/.ssh/authorized_keys", "keyData": key}]},
        },
    }
    made = guest_of(Wire(*estate(machine=vm(osProfile=profile))))
    assert not made.users["me"].has_password
    assert f"{key}\n" == made.files.read("/home/me/.ssh/authorized_keys")
    assert "no" == made.sshd_in_force["passwordauthentication"]


def test_a_boot_settles_what_waited_for_it():
    """A restart clears a pending one, and starts what is enabled."""
    wire = Wire(*estate(machine=telling(vm(), reboot_required=True)))
    made = guest_of(wire)
    made.services["cron"].state = "failed"
    wire.do("POST", f"{VM}/restart")
    assert (False, "active") == (made.needs_reboot, made.services["cron"].state)


def test_another_disk_is_another_guest():
    """A machine whose operating system disk is swapped does not keep what was done on the old one."""
    wire = Wire(*estate(disk("other-os"), machine=deallocated()))
    before = guest_of(wire)
    other = OS_DISK.replace("web-1-os", "other-os")
    change = {"storageProfile": {"osDisk": {"name": "other-os", "managedDisk": {"id": other}}}}
    wire.do("PATCH", VM, {"properties": change})
    assert guest_of(wire) is not before


def folder_with(tmp_path, document: object):
    """An estate folder with one machine, and what is said of guests."""
    lines = [json.dumps(each) for each in estate()]
    (tmp_path / "resources.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "guest.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def test_a_file_says_it_of_many(tmp_path):
    """`guest.json` names machines by pattern; later entries go before earlier ones."""
    document = {
        "format": "readiness/guest/1",
        "chances": {"reboot_required": 0},
        "guests": [
            {"resource": "*", "unsigned_boot_component": False, "cluster": "db"},
            {"resource": "web-*", "unsigned_boot_component": True},
            {"resource": "other", "cluster": "no"},
        ],
    }
    made = guest_of(Wire(*seed.load(folder_with(tmp_path, document))))
    assert (True, "db", False) == (made.has_unsigned_boot, made.cluster, made.needs_reboot)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"unsigned": True}, "guests[0].unsigned: unknown"),
        ({"bitlocker": "yes"}, "guests[0].bitlocker: 'yes' has the wrong type"),
        ({"partition_style": "raw"}, "use one of gpt, mbr"),
        ({"logins": [{"method": "key"}]}, "logins[0].user: missing"),
        ({"logins": [{"user": "a", "method": "key"}]}, "use password, publickey, entra"),
        ({"chances": {"luck": 1}}, "chances.luck: unknown"),
        ({"chances": {"bitlocker": 2}}, "give a number from 0 to 1"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, entry, words):
    """A file of guests that cannot be understood is refused with the place and a remedy."""
    document = {"format": "readiness/guest/1", "guests": [{"resource": "*", **entry}]}
    with pytest.raises(SeedError) as caught:
        seed.load(folder_with(tmp_path, document))
    assert words in str(caught.value)
