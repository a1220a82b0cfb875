"""The formats in which a run is told to clients: each a function of the log."""
