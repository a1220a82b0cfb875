"""CloudFormation of moto, with the types that it lacks: each makes its resource with moto's own service, by boto3.

boto3 checks every call against the real service's model, so a template that AWS could not read fails here.
"""
