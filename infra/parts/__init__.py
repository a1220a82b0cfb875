"""What the stacks are made of: one thing in each file."""
