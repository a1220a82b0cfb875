"""Measures the product against no product at all (`direct`) and against its peers, on one machine.

A mock model server writes the time of writing into every token; the load client subtracts it from the time of
reading, on the same monotonic clock. All processes of the target share one core; the model server and the load
client have another. Rounds are interleaved (direct, product, peers, direct, …), so that a busy machine hurts
everybody alike, and medians over the rounds are reported.

`python -m bench --help` lists the scenarios; `bench.load.run` is the entry for tests.
"""
