"""The catalogue of models that the cluster offers: the counting and the hashing model, in each way of going on."""

from pathlib import Path

import yaml

from tests.assistants.model import catalogue_entries
from tests.chaos.model import counting
from tests.chaos.model.record import HASHING

PATIENT = "count-patient"
"""Like `count-prefill`, but it may be silent for longer."""


def write_catalogue(path: Path, url: str, silence_seconds: float) -> Path:
    """Both providers are at `url`, with their models. `silence_seconds`: what the patient one is allowed."""
    common = {"provider": "count", "context_window": 1_000_000, "prices": {"input": 1, "output": 2}}
    ways = {counting.PREFILL: "prefill", counting.CONTINUE: "continue", counting.RESTART: "restart"}
    models = [{"id": name, "name": name, "model": name, "continuation": way, **common} for name, way in ways.items()]
    patience = {"silence_seconds": silence_seconds, "first_token_seconds": silence_seconds}
    patient = {"id": PATIENT, "name": PATIENT, "model": counting.PREFILL, "continuation": "prefill"}
    models.append({**patient, "timeouts": patience, **common})
    models += catalogue_entries()
    places = {"count": f"{url}/v1", "hash": f"{url}{HASHING}/v1"}
    providers = {name: {"kind": "openai", "base_url": place} for name, place in places.items()}
    catalogue = {"providers": providers, "models": models}
    path.write_text(yaml.safe_dump(catalogue, sort_keys=False), encoding="utf-8")
    return path
