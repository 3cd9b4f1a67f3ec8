"""What keeps a network resource from being deleted: the resources that use it, in Azure's words."""

from readiness.twin.arm.network import links, virtual_networks
from readiness.twin.arm.network.links import ids
from readiness.twin.documents import Json
from readiness.twin.messages import ArmError
from readiness.twin.paths import parse
from readiness.twin.state import State

_GROUPS = {
    links.SECURITY_GROUP: ("NetworkSecurityGroup", "Network security group", "deletensg"),
    links.ROUTE_TABLE: ("RouteTable", "Route table", "deleteroutetable"),
    links.NAT_GATEWAY: ("NatGateway", "Nat gateway", "deletenatgateway"),
}


def check_unused(state: State, resource: Json) -> None:
    """Refuse to delete what is in use."""
    kind = parse(resource["id"]).kind
    properties = links.shown(state, resource).get("properties") or {}
    if kind == links.INTERFACE:
        _check_interface(resource["id"], properties)
    elif kind == links.PUBLIC_IP:
        _check_public_ip(resource["id"], properties)
    elif kind in _GROUPS:
        _check_group(kind, resource["id"], properties)
    elif kind == links.VIRTUAL_NETWORK:
        virtual_networks.check_used(state, resource, [])
    elif kind == links.APPLICATION_GROUP:
        _check_application_group(state, resource)


def _check_interface(resource_id: str, properties: Json) -> None:
    for user in ids(properties.get("virtualMachine")) + ids(properties.get("privateEndpoint")):
        # Recorded: github.com/pulumi/pulumi-azure, issue 441.
        raise ArmError(
            400,
            "NicInUse",
            f"Network Interface {resource_id} is used by existing resource {user}. In order to delete the "
            "network interface, it must be dissociated from the resource. To learn more, see "
            "aka.ms/deletenic.",
        )


def _check_public_ip(resource_id: str, properties: Json) -> None:
    for user in ids(properties.get("ipConfiguration")) + ids(properties.get("natGateway")):
        # Recorded: github.com/hashicorp/terraform-provider-azurerm, issue 2566.
        raise ArmError(
            400,
            "PublicIPAddressCannotBeDeleted",
            f"Public IP address {resource_id} can not be deleted since it is still allocated to resource "
            f"{user}. In order to delete the public IP, disassociate/detach the Public IP address from the "
            "resource.  To learn how to do this, see aka.ms/deletepublicip.",
        )


def _check_group(kind: str, resource_id: str, properties: Json) -> None:
    code, label, page = _GROUPS[kind]
    users = ids(properties.get("networkInterfaces")) + ids(properties.get("subnets"))
    if users and kind == links.SECURITY_GROUP:
        # Reported: github.com/pulumi/pulumi-azure-native, issue 3051, and
        # github.com/DataBiosphere/terra-workspace-manager, pull request 502.
        raise ArmError(
            400,
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {resource_id} cannot be deleted because it is in use by the following "
            f"resources: {', '.join(users)}. In order to delete the Network security group, remove the "
            "association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
        )
    if users:
        # The codes are public, the sentence follows the security groups'.
        raise ArmError(
            400,
            f"InUse{code}CannotBeDeleted",
            f"{label} {resource_id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(users)}. In order to delete the {label}, remove the association with the "
            f"resource(s). To learn how to do this, see aka.ms/{page}.",
            unverified=True,
        )


def _check_application_group(state: State, resource: Json) -> None:
    users = links.referrers(state, links.APPLICATION_GROUP).get(("", resource["id"].lower()), [])
    if users:
        # The sentence is recorded (github.com/Azure/azure-cli, issue 12591), the code is not.
        names = ", ".join(user.rsplit("/", 1)[-1] for user in users)
        raise ArmError(
            400,
            "ApplicationSecurityGroupInUse",
            f"Application Security Group {resource['name']} cannot be deleted because it is referenced by "
            f"IpConfiguration(s) {names}.",
            unverified=True,
        )
