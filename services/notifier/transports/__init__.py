"""The ways by which an e-mail goes out."""
