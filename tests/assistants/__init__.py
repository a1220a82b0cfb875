"""Proofs of assistants: a model that says a hash of what it is asked, a reference evaluation, a check of the order."""
