"""The database, and the secrets that the services are given."""

import json

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.choices import Choices
from infra.parts.bus_secrets import add_bus_secrets, is_keyed
from infra.parts.environment import PROVIDER_KEYS
from infra.profiles import Profile
from infra.stacks.network import NetworkStack

DATABASE = "studio"
ADMINISTRATOR = "studio_admin"
SECRET_CHARACTERS = 48
IDLE_IN_TRANSACTION_MILLISECONDS = 60_000


class DataStack(Stack):
    """Aurora PostgreSQL Serverless v2, which takes connections with TLS only."""

    def __init__(
        self, scope: Construct, name: str, *, profile: Profile, choices: Choices, network: NetworkStack, **rest: object
    ) -> None:
        super().__init__(scope, name, **rest)
        self.key: kms.Key | None = None
        if profile.own_key:
            self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.RETAIN)
        self.reached = ec2.SecurityGroup(
            self, "Reached", vpc=network.vpc, allow_all_outbound=False, description="Who reaches the database"
        )
        self.database = self._database(profile, network)
        self.service_password = self._made("ServicePassword", "Of the database roles of the services")
        self.auth_secret = self._made("AuthSecret", "Signs the tokens of callers")
        # Made empty. Somebody writes the keys into it, once; a provider without a key is not offered.
        self.provider_keys = secretsmanager.Secret(
            self,
            "ProviderKeys",
            description="The keys of the model providers",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(dict.fromkeys(PROVIDER_KEYS, "")),
                generate_string_key="unused",
            ),
        )

        self.bus = add_bus_secrets(self, profile) if is_keyed(profile, choices) else None
        """The keys of the bus, where only keys open it."""

    def _database(self, profile: Profile, network: NetworkStack) -> rds.DatabaseCluster:
        pause = profile.database_pause_seconds
        return rds.DatabaseCluster(
            self,
            "Database",
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_5),
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[self.reached],
            default_database_name=DATABASE,
            # RDS makes the password, keeps it in a secret of its own, and changes it every week. Only the migration
            # reads it, and anew each time.
            credentials=rds.Credentials.from_username(ADMINISTRATOR),
            manage_master_user_password=True,
            writer=rds.ClusterInstance.serverless_v2("Writer", auto_minor_version_upgrade=True),
            readers=[
                rds.ClusterInstance.serverless_v2(f"Reader{number}", scale_with_writer=True)
                for number in range(profile.database_readers)
            ],
            serverless_v2_min_capacity=profile.database_least_acu,
            serverless_v2_max_capacity=profile.database_most_acu,
            serverless_v2_auto_pause_duration=Duration.seconds(pause) if pause else None,
            storage_encrypted=True,
            storage_encryption_key=self.key,
            iam_authentication=True,
            backup=rds.BackupProps(retention=Duration.days(profile.backup_days)),
            deletion_protection=profile.protected,
            removal_policy=RemovalPolicy.SNAPSHOT,
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=["postgresql"],
            parameters={
                "rds.force_ssl": "1",
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MILLISECONDS),
            },
        )

    def _made(self, name: str, purpose: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            name,
            description=purpose,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=SECRET_CHARACTERS, exclude_punctuation=True
            ),
        )

    def let_in(self, scope: Construct, name: str, group: ec2.ISecurityGroup) -> None:
        """Open the database to a group of another stack; the rule lives there, or the stacks would need each other."""
        ec2.CfnSecurityGroupIngress(
            scope,
            name,
            group_id=self.reached.security_group_id,
            ip_protocol="tcp",
            from_port=5432,
            to_port=5432,
            source_security_group_id=group.security_group_id,
        )
