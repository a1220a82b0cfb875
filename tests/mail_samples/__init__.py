"""Mails as they would go out, to look at."""
