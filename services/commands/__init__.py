"""The commands of `python -m services`, one per file; each is thin."""
