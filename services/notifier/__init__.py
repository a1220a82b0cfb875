"""Notifier: who is away when a run ends hears of it, once."""
