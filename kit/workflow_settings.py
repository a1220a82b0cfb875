"""The settings of `workflow-task`; a part of kit/settings.py."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkflowSettings(BaseSettings):
    """One run that AWS Step Functions has asked for (`python -m services workflow-task`, docs/aws.md)."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_WORKFLOW_")

    url: str = Field("http://127.0.0.1:8484", description="the edge that is asked")
    token: SecretStr = Field(SecretStr(""), description="who asks: a token that `token` has signed")
    task_token: SecretStr = Field(SecretStr(""), description="of the step that waits; Step Functions gives it")
    execution: str = Field("", description="the ARN of the execution, which has the request as its input")
    bucket: str = Field("", description="of Amazon S3, for checkpoints and results")
    checkpoint_seconds: float = Field(300.0, gt=0, description="how often it is said how far the run is")
