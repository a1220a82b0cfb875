"""Architect: assistants made of steps, and their runs."""
