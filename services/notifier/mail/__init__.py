"""E-mails: what they say, and how it is written down."""
