"""Names, rules and filters of the network."""

from tests.infra.cloud.types import Made, Properties, client, register, without


def namespace(name: str, properties: Properties, region: str) -> Made:
    names = client("servicediscovery", region)
    names.create_private_dns_namespace(Name=properties["Name"], Vpc=properties["Vpc"])
    (made,) = (one for one in names.list_namespaces()["Namespaces"] if one["Name"] == properties["Name"])
    return made["Id"], {"Id": made["Id"], "Arn": made["Arn"]}


def service(name: str, properties: Properties, region: str) -> Made:
    wanted = {key: properties[key] for key in ("Name", "NamespaceId", "DnsConfig") if key in properties}
    for record in wanted.get("DnsConfig", {}).get("DnsRecords", []):
        record["TTL"] = int(record["TTL"])
    made = client("servicediscovery", region).create_service(**wanted)["Service"]
    return made["Id"], {"Id": made["Id"], "Arn": made["Arn"], "Name": made["Name"]}


def egress(name: str, properties: Properties, region: str) -> Made:
    ports = {key: int(properties[key]) for key in ("FromPort", "ToPort")}
    pair = {"GroupId": properties["DestinationSecurityGroupId"]}
    client("ec2", region).authorize_security_group_egress(
        GroupId=properties["GroupId"],
        IpPermissions=[{"IpProtocol": properties["IpProtocol"], **ports, "UserIdGroupPairs": [pair]}],
    )
    return name, {}


def firewall(name: str, properties: Properties, region: str) -> Made:
    wanted = without(properties)
    wanted.setdefault("Name", name)
    made = client("wafv2", region).create_web_acl(**wanted)["Summary"]
    return f"{wanted['Name']}|{made['Id']}|{wanted['Scope']}", {"Arn": made["ARN"], "Id": made["Id"]}


def firewall_of(name: str, properties: Properties, region: str) -> Made:
    client("wafv2", region).associate_web_acl(**properties)
    return properties["WebACLArn"], {}


def trusted(name: str, properties: Properties, region: str) -> Made:
    made = client("iam", region).create_open_id_connect_provider(
        Url=properties["Url"], ClientIDList=properties["ClientIdList"]
    )
    return made["OpenIDConnectProviderArn"], {"Arn": made["OpenIDConnectProviderArn"]}


def add() -> None:
    register("AWS::IAM::OIDCProvider", trusted)
    register("AWS::ServiceDiscovery::PrivateDnsNamespace", namespace)
    register("AWS::ServiceDiscovery::Service", service)
    register("AWS::EC2::SecurityGroupEgress", egress)
    register("AWS::WAFv2::WebACL", firewall)
    register("AWS::WAFv2::WebACLAssociation", firewall_of)
