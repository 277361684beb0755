from processor.destinations import VENDORS
from processor.settings.schema import json_schema
from tests.support.reference import PAGE, Reference


def test_the_page_of_the_configuration_is_what_the_models_say() -> None:
    """docs/configuration.md is rendered; `python -m tests.support.reference` writes it when the models change."""
    assert PAGE.read_text(encoding="utf-8") == Reference().render()


def test_the_page_has_every_key() -> None:
    """No model is left out: each key of the schema has a row."""
    page = Reference().render()
    schema = json_schema({name: vendor.settings for name, vendor in VENDORS.items()})
    for model in (schema, *schema["$defs"].values()):
        assert [key for key in model["properties"] if f"| `{key}` |" not in page] == []
