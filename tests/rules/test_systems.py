"""Which system a VM runs, by what its instance view and its image say."""

import pytest

from readiness.model.virtual_machine import Image, OsFamily
from readiness.rules.systems import Support, generation1_support_of, support_of, system_of
from tests.builders import REFERENCE, vm


def _image(text: str) -> Image:
    publisher, offer, sku = text.split("/")
    return Image(publisher=publisher, offer=offer, sku=sku)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("Canonical/0001-com-ubuntu-server-jammy/22_04-lts-gen2", "ubuntu 22.04"),
        ("Canonical/UbuntuServer/16.04-LTS", "ubuntu 16.04"),
        ("canonical/ubuntu-24_04-lts/server", "ubuntu 24.04"),
        ("MicrosoftSQLServer/sql2019-ubuntu2004/web_gen2", "ubuntu 20.04"),
        ("RedHat/RHEL/9-lvm-gen2", "rhel 9"),
        ("RedHat/RHEL/86-gen2", "rhel 8.6"),
        ("RedHat/RHEL/810-gen2", "rhel 8.10"),
        ("RedHat/RHEL/8_8", "rhel 8.8"),
        ("redhat/rhel-byos/rhel-lvm94-gen2", "rhel 9.4"),
        ("RedHat/RHEL/7-LVM", "rhel 7"),
        ("RedHat/RHEL/10-lvm-gen2", "rhel 10"),
        ("RedHat/rhel-raw/10_1", "rhel 10.1"),
        ("OpenLogic/CentOS/7.5", "centos 7.5"),
        ("almalinux/almalinux-x86_64/8-gen2", "almalinux 8"),
        ("almalinux/almalinux/8_7-gen2", "almalinux 8.7"),
        ("resf/rockylinux-x86_64/9-lvm", "rocky 9"),
        ("Oracle/Oracle-Linux/ol88-lvm-gen2", "oracle 8.8"),
        ("Oracle/Oracle-Linux/ol810-lvm-gen2", "oracle 8.10"),
        ("SUSE/sles-15-sp5/gen2", "sles 15.5"),
        ("SUSE/sles-12-sp5/gen2", "sles 12.5"),
        ("suse/sles-sap-15-sp4/gen2", "sles 15.4"),
        ("Debian/debian-12/12-gen2", "debian 12"),
        ("credativ/Debian/9", "debian 9"),
        ("MicrosoftCBLMariner/cbl-mariner/cbl-mariner-2-gen2", "azurelinux 2"),
        ("MicrosoftCBLMariner/azure-linux-3/azure-linux-3-gen2", "azurelinux 3"),
        ("MicrosoftWindowsServer/WindowsServer/2019-datacenter-gensecond", "windows-server 2019"),
        ("MicrosoftWindowsServer/WindowsServer/2012-R2-Datacenter", "windows-server 2012"),
        ("MicrosoftSQLServer/sql2019-ws2022/enterprise", "windows-server 2022"),
        ("MicrosoftWindowsDesktop/windows-11/win11-22h2-ent", "windows 11"),
        ("MicrosoftWindowsDesktop/office-365/win10-21h2-avd-m365", "windows 10"),
        ("thefreebsdfoundation/freebsd-14_0/14_0-release", "freebsd None"),
        ("acme/firewall/byol", " None"),
    ],
)
def test_images(image: str, expected: str) -> None:
    """Publishers write versions in every way there is."""
    found = system_of(vm(image=_image(image)))

    assert expected == f"{found.key} {found.version}"


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("ubuntu", "22.04", "ubuntu 22.04"),
        ("redhat", "9.6", "rhel 9.6"),
        ("Red Hat Enterprise Linux", "8.10", "rhel 8.10"),
        ("sles", "15-SP4", "sles 15.4"),
        ("SUSE", "15.4", "sles 15.4"),
        ("centos", "7.9.2009", "centos 7.9"),
        ("Windows Server 2016 Datacenter", "10.0.14393", "windows-server 2016"),
        ("Windows 11 Enterprise", "10.0.22631", "windows 11"),
        ("gentoo", "2", " 2"),
    ],
)
def test_instance_views(name: str, version: str, expected: str) -> None:
    """The agent reports a name and a version; of Windows the name says it all."""
    found = system_of(vm(image=None, os_name=name, os_version=version))

    assert expected == f"{found.key} {found.version}"


def test_the_image_fills_in_what_the_instance_view_leaves_out() -> None:
    """A name without a version does not hide the image that has both."""
    found = system_of(vm(os_name="ubuntu"))

    assert ("ubuntu", "22.04") == (found.key, found.version)


def test_a_windows_is_not_taken_for_a_linux() -> None:
    """The word for a system inside another name means nothing."""
    found = system_of(vm(os_family=OsFamily.WINDOWS, os_name="Windows Server 2022", image=None))

    assert ("windows-server", "2022") == (found.key, found.version)


@pytest.mark.parametrize(
    ("name", "version", "expected", "generation1"),
    [
        ("redhat", "9.6", Support.LISTED, Support.LISTED),
        ("redhat", "9.1", Support.UNKNOWN, Support.UNKNOWN),
        ("redhat", "7.9", Support.NOT_LISTED, Support.NOT_LISTED),
        ("ubuntu", "23.10", Support.EARLIER, Support.EARLIER),
        ("almalinux", "9.4", Support.LISTED, Support.LISTED),
        ("debian", "12", Support.LISTED, Support.NOT_LISTED),
        ("Windows Server 2016", None, Support.LISTED, Support.NOT_LISTED),
        ("centos", "8.5", Support.NOT_LISTED, Support.NOT_LISTED),
        ("ubuntu", None, Support.UNKNOWN, Support.UNKNOWN),
    ],
)
def test_the_list(name: str, version: str | None, expected: Support, generation1: Support) -> None:
    """A release that is listed does not vouch for a minor version that is not."""
    found = system_of(vm(image=None, os_name=name, os_version=version))

    assert (expected, generation1) == (
        support_of(found, REFERENCE),
        generation1_support_of(found, REFERENCE),
    )
