"""Webhooks: whose they are, what they are sent, and calling them without calling anything else."""
