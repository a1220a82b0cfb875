"""What every orchestrator needs, whichever runs it has and however many lanes they have.

An orchestrator (chat, compare, architect) starts the generations of its runs and ends the runs. Its tables, its words
and its decisions are its own; here is what is about generations and logs alone:

- `generation`: one lane of a run, as the parts below need it to end it.
- `told`: the ending that a fact tells of, with its whole texts.
- `heard`: a lane added up: what there is of its answer, what it has cost, how long it took.
- `stand_in`, `cancel`: ending a lane in its worker's place; stopping lanes.
- `watchdog`: every lane and every run ends in bounded time. The service's tables come in as `Runs`.
- `carried`: the order to inference, with a question too long for a message by reference.
- `retention`, `purge_table`: runs leave the log, at a pace that the bus does not notice.
- `offers`, `window`: which models there are, what they cost, and whether a question fits into one.
- `duty`, `marks`, `periodic`: one replica for all; marks on rows, written together; work that is done again and again.
- `wording`, `moments`: texts and times as tables can hold them; what is refused; titles.
- `kept_texts`: which texts of a run's answers are kept outside the log.
- `handling`: the process of any service that takes messages and has tables, the notifier's too.
- `service`: the process itself: its connections, these parts, the requests it answers, its start and stop.
- `available`: "not now" instead of "something is wrong".

Tables that these parts expect in the service's schema: `duty` (duty.py), `log_purge` and some columns of `run`
(purge_table.py).
"""
