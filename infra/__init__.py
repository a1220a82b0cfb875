"""AI Studio on AWS, as a CDK app. It is no part of the image; see docs/aws.md."""
