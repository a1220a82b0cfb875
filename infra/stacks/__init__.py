"""The stacks: one file each, in the order in which they stand on each other."""
