import logging
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.costs import cost_usd
from kit.settings import InferenceSettings
from services.inference.cards import ModelCard
from services.inference.catalogue import Catalogue, CatalogueError, ProviderConfig, load_catalogue
from services.inference.providers.base import ProviderError, Usage
from services.inference.providers.scripted import MODELS, ScriptedProvider
from services.inference.registry import Providers

GOOD = """
providers:
  demo: {kind: scripted}
  house: {kind: openai, base_url: "http://models:8000/v1", api_key_env: HOUSE_KEY, base_url_env: HOUSE_URL}
models:
  - {id: a/b:c, provider: house, model: x, name: X, prices: {input: 0.1, output: 2, cached_input: "0.01"},
     capabilities: [text, tools], continuation: prefill, timeouts: {silence_seconds: 5},
     options: {top_k: 4}, prefill_options: {continue_final_message: true}}
  - {id: demo, provider: demo, model: demo-swift, name: D, prices: {input: 0, output: 0}}
"""


def load(tmp_path: Path, text: str, **environment: str) -> Catalogue:
    file = tmp_path / "models.yaml"
    file.write_text(text, encoding="utf-8")
    return load_catalogue(file, environment)


def test_the_built_in_catalogue_offers_the_demo_models_without_any_key() -> None:
    cards = load_catalogue(environment={}).models()
    assert [card.id for card in cards] == list(MODELS)
    assert {card.model for card in cards} == set(MODELS)


def test_the_built_in_catalogue_offers_openai_with_a_key_and_honours_its_address() -> None:
    catalogue = load_catalogue(environment={"OPENAI_API_KEY": "sk-x\n", "OPENAI_BASE_URL": "http://proxy/v1"})
    assert {card.provider for card in catalogue.models()} == {"demo", "openai"}
    provider = catalogue.provider("openai")
    assert provider is not None
    assert provider.base_url == "http://proxy/v1"
    assert provider.api_key is not None
    assert provider.api_key.get_secret_value() == "sk-x"
    assert "sk-x" not in f"{provider!r}{provider.model_dump_json()}"


def test_a_missing_key_is_said_once_and_its_models_are_not_offered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        catalogue = load(tmp_path, GOOD)
    assert [card.id for card in catalogue.models()] == ["demo"]
    assert catalogue.get("a/b:c") is None
    assert [record.getMessage() for record in caplog.records] == [
        "models of provider house are not offered: HOUSE_KEY is not set"
    ]


VENDORS = """
providers:
  azure: {kind: azure, base_url_env: AZURE_OPENAI_ENDPOINT, api_key_env: AZURE_OPENAI_API_KEY}
  claude: {kind: anthropic, api_key_env: ANTHROPIC_API_KEY}
  gemini: {kind: gemini, api_key_env: GEMINI_API_KEY}
  bedrock: {kind: bedrock, region_env: [AWS_REGION, AWS_DEFAULT_REGION]}
models:
"""
KEYS = {
    "AZURE_OPENAI_ENDPOINT": "https://house.openai.azure.com",
    "AZURE_OPENAI_API_KEY": "k",
    "ANTHROPIC_API_KEY": "k",
    "GEMINI_API_KEY": "k",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


def test_a_vendor_is_offered_when_the_environment_has_what_it_needs(tmp_path: Path) -> None:
    assert load(tmp_path, VENDORS).providers() == []
    assert {provider.name for provider in load(tmp_path, VENDORS, **KEYS).providers()} == {
        "azure",
        "claude",
        "gemini",
        "bedrock",
    }
    for missing, name in (("AZURE_OPENAI_ENDPOINT", "azure"), ("AWS_DEFAULT_REGION", "bedrock")):
        some = {key: value for key, value in KEYS.items() if key != missing}
        assert load(tmp_path, VENDORS, **some).provider(name) is None
    both = load(tmp_path, VENDORS, **KEYS, AWS_REGION="us-east-1").provider("bedrock")
    assert both is not None
    assert both.region == "us-east-1"


async def test_a_vendor_s_provider_is_built_without_its_sdk(tmp_path: Path) -> None:
    providers = Providers(load(tmp_path, VENDORS, **KEYS), InferenceSettings())
    kinds = [type(providers.get(name)).__name__ for name in ("azure", "claude", "gemini", "bedrock")]
    assert kinds == ["AzureProvider", "AnthropicProvider", "GeminiProvider", "BedrockProvider"]
    await providers.close()


def test_a_worker_starts_without_any_vendor_s_sdk() -> None:
    code = (
        "import sys, services.inference.service, services.inference.providers.anthropic, "
        "services.inference.providers.gemini, services.inference.providers.bedrock; "
        "print({'anthropic', 'google.genai', 'botocore', 'httpx2'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_card_tells_the_public_nothing_that_only_the_worker_needs(tmp_path: Path) -> None:
    card = load(tmp_path, GOOD, HOUSE_KEY="k").get("a/b:c")
    assert card is not None
    assert card.model_dump(mode="json") == {
        "id": "a/b:c",
        "name": "X",
        "description": "",
        "provider": "house",
        "context_window": None,
        "max_output_tokens": None,
        "prices": {"input": "0.1", "output": "2", "cached_input": "0.01"},
        "capabilities": ["text", "tools"],
        "continuation": "prefill",
        "timeouts": {"first_token_seconds": None, "silence_seconds": 5.0, "total_seconds": None},
    }
    assert card.call_options() == {"top_k": 4}
    assert card.call_options(prefill=True) == {"top_k": 4, "continue_final_message": True}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("id: demo,", "id: a/b:c,", "model a/b:c: id: there is another model"),
        ("id: demo,", "id: 'a b',", "model a b: id: String should match"),
        ("id: demo,", "id: no,", "model D: id: Input should be a valid string"),
        ("id: demo,", "", "model D: id: Field required"),
        ("provider: demo,", "provider: nobody,", "model demo: provider: there is no provider 'nobody'"),
        ("input: 0.1", "input: -1", "model a/b:c: prices.input: Input should be greater than or equal to 0"),
        ("input: 0.1", "input: .nan", "model a/b:c: prices.input:"),
        ("input: 0.1", "input: cheap", "model a/b:c: prices.input:"),
        ("prices: {input: 0, output: 0}", "prices: {input: 0}", "model demo: prices.output: Field required"),
        ("[text, tools]", "[magic]", "model a/b:c: capabilities.0:"),
        ("continuation: prefill", "continuation: maybe", "model a/b:c: continuation:"),
        ("silence_seconds: 5", "silence_second: 5", "model a/b:c: timeouts.silence_second: Extra inputs"),
        ("silence_seconds: 5", "silence_seconds: 0", "model a/b:c: timeouts.silence_seconds:"),
        ("kind: scripted", "kind: magic", "provider demo: kind:"),
        (
            'base_url: "http://models:8000/v1", api_key_env: HOUSE_KEY, base_url_env: HOUSE_URL',
            "",
            "provider house: entry: Value error, base_url is missing",
        ),
        ("http://models", "ftp://models", "provider house: base_url: Value error, must begin with http"),
        ("kind: openai", "kind: openai, api_key: sk-1", "provider house: api_key_in_file: Extra inputs"),
        ("demo: {kind: scripted}", "demo: {kind: scripted}\n  demo: {kind: scripted}", "given twice: demo"),
        ("\nmodels:", "\nmodel:", "must have the two parts"),
        ("providers:", "providers: [\n", "line "),
    ],
)
def test_mistakes_are_named_with_file_entry_and_field(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1), HOUSE_KEY="k")
    assert str(caught.value).startswith("models.yaml: ")
    assert complaint in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, GOOD.replace("input: 0.1", "input: x").replace("kind: scripted", "kind: y"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text", ["", "3", "[]", "providers: 1", "models: {a: 1}", "models: [1]", "a: &x [*x]\n", "\x01"]
)
def test_files_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogueError):
        load(tmp_path, text)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="STUDIO_MODELS_FILE"):
        load_catalogue(tmp_path / "none.yaml", {})
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match="UTF-8"):
        load_catalogue(tmp_path / "bytes.yaml", {})


def test_a_key_that_cannot_be_one_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="HOUSE_KEY") as caught:
        load(tmp_path, GOOD, HOUSE_KEY="a\nsecret")
    assert "secret" not in str(caught.value)


def test_found_models_come_after_those_of_the_file_and_never_replace_them(tmp_path: Path) -> None:
    catalogue = load(tmp_path, GOOD, HOUSE_KEY="k")
    template = catalogue.models()[1]
    found = [template.model_copy(update={"id": i, "provider": "ollama"}) for i in ("demo", "ollama/x")]
    catalogue.offer_found(ProviderConfig(name="ollama", kind="openai", base_url="http://o/v1"), found)
    assert [card.id for card in catalogue.models()] == ["a/b:c", "demo", "ollama/x"]
    assert catalogue.get("demo") == template
    catalogue.offer_found(ProviderConfig(name="ollama", kind="openai", base_url="http://o/v1"), [])
    assert catalogue.get("ollama/x") is None


def card(input_price: str, output: str, cached: str | None = None) -> ModelCard:
    prices = {"input": input_price, "output": output, "cached_input": cached}
    return ModelCard.model_validate({"id": "m", "provider": "p", "model": "m", "name": "M", "prices": prices})


@pytest.mark.parametrize(
    ("card", "usage", "cost"),
    [
        (card("2", "12", "0.2"), Usage(1_000_000, 1_000_000), "14"),
        (card("2", "12", "0.2"), Usage(1000, 10, 5, 400), "0.0014"),
        (card("2", "12"), Usage(1000, 0, 0, 400), "0.002"),
        (card("2", "12", "0.2"), Usage(10, 0, 0, 999), "0.000002"),
        (card("0.05", "0.4"), Usage(1, 1), "0.00000045"),
        (card("0", "0"), Usage(5, 5), "0"),
    ],
)
def test_costs_are_exact(card: ModelCard, usage: Usage, cost: str) -> None:
    assert cost_usd(card.prices, usage) == Decimal(cost)


async def test_providers_are_built_once_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    providers = Providers(load(tmp_path, GOOD, HOUSE_KEY="k"), InferenceSettings())
    assert isinstance(providers.get("demo"), ScriptedProvider)
    assert providers.get("house") is providers.get("house")
    with pytest.raises(ProviderError):
        providers.get("gone")
    await providers.close()
