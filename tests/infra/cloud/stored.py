"""Databases, secrets, keys."""

import json

from tests.infra.cloud.types import Made, Properties, client, register, without


def secret(name: str, properties: Properties, region: str) -> Made:
    asked = properties["GenerateSecretString"]
    value = "generated"
    if "SecretStringTemplate" in asked:
        value = json.dumps({**json.loads(asked["SecretStringTemplate"]), asked["GenerateStringKey"]: value})
    made = client("secretsmanager", region).create_secret(
        Name=properties.get("Name", name), SecretString=value, Description=properties.get("Description", "")
    )
    return made["ARN"], {"Id": made["ARN"]}


def attachment(name: str, properties: Properties, region: str) -> Made:
    return properties["SecretId"], {"Id": properties["SecretId"]}


def key(name: str, properties: Properties, region: str) -> Made:
    kms = client("kms", region)
    made = kms.create_key(Description=name)["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]}


def subnets(name: str, properties: Properties, region: str) -> Made:
    client("rds", region).create_db_subnet_group(
        DBSubnetGroupName=name.lower(),
        DBSubnetGroupDescription=properties["DBSubnetGroupDescription"],
        SubnetIds=properties["SubnetIds"],
    )
    return name.lower(), {}


def parameters(name: str, properties: Properties, region: str) -> Made:
    client("rds", region).create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name.lower(),
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )
    return name.lower(), {}


def cluster(name: str, properties: Properties, region: str) -> Made:
    wanted = without(properties, "CopyTagsToSnapshot")
    wanted["DBClusterIdentifier"] = name.lower()
    for number in ("Port", "BackupRetentionPeriod"):
        if number in wanted:
            wanted[number] = int(wanted[number])
    made = client("rds", region).create_db_cluster(**wanted)["DBCluster"]
    return made["DBClusterIdentifier"], {
        "Endpoint.Address": made["Endpoint"],
        "Endpoint.Port": str(made.get("Port", 5432)),
        "ReadEndpoint.Address": made["ReaderEndpoint"],
        "MasterUserSecret.SecretArn": made["MasterUserSecret"]["SecretArn"],
        "DBClusterArn": made["DBClusterArn"],
        "DBClusterResourceId": made["DbClusterResourceId"],
    }


def instance(name: str, properties: Properties, region: str) -> Made:
    made = client("rds", region).create_db_instance(
        DBInstanceIdentifier=name.lower()[:60],
        DBInstanceClass=properties["DBInstanceClass"],
        Engine=properties["Engine"],
        DBClusterIdentifier=properties["DBClusterIdentifier"],
    )["DBInstance"]
    return made["DBInstanceIdentifier"], {"DBInstanceArn": made["DBInstanceArn"], "Endpoint.Port": "5432"}


def bucket_policy(name: str, properties: Properties, region: str) -> Made:
    document = json.dumps(properties["PolicyDocument"])
    files = client("s3", region)
    files.put_bucket_policy(Bucket=properties["Bucket"], Policy=document)
    files.delete_bucket_policy(Bucket=properties["Bucket"])  # moto hears "deny" and not "unless by TLS"
    return properties["Bucket"], {}


def add() -> None:
    register("AWS::S3::BucketPolicy", bucket_policy)
    register("AWS::SecretsManager::Secret", secret)
    register("AWS::SecretsManager::SecretTargetAttachment", attachment)
    register("AWS::KMS::Key", key)
    register("AWS::RDS::DBSubnetGroup", subnets)
    register("AWS::RDS::DBClusterParameterGroup", parameters)
    register("AWS::RDS::DBCluster", cluster)
    register("AWS::RDS::DBInstance", instance)
