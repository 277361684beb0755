"""`clickstream explain`: every method, in words and as JSON."""

from collections.abc import Iterator, Mapping

import pytest

from processor.cli.explain import WIDTH
from processor.cli.main import main
from processor.destinations import VENDORS
from processor.fields import Field
from tests.support.command import objects

METHODS = {f"{vendor.name}.{method.name}": method for vendor in VENDORS.values() for method in vendor.methods.values()}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints where all is right."""
    assert main(["explain", *arguments]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def every(fields: Mapping[str, Field]) -> Iterator[tuple[str, Field]]:
    """All fields, also those below others."""
    for name, field in fields.items():
        yield name, field
        yield from every(field.fields)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_in_words(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Where it is sent, and of each field the type, the rule and who says so; in lines that fit a terminal."""
    method = METHODS[name]

    out = printed(capsys, name)

    head, *rest = out.splitlines()
    assert head.startswith(f"{name}   POST {method.path}")
    assert (f"in batches {method.batch.path}" in head) if method.batch else ("batches" not in head)
    assert (f"In order per {method.order_key}" in out) == (method.order_key is not None)
    assert ("It reaches a shopper, so it is sent once" in out) == method.once
    lines, flowing = [line.split() for line in rest], " ".join(out.split())
    for field, each in every(method.fields):
        assert [field, "required" if each.required else "optional", *each.type.split()] in lines
        assert " ".join(each.rule.split()) in flowing
        assert each.source in flowing
    assert all(len(line) <= WIDTH for line in rest if "required" not in line and "optional" not in line)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_as_json(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The same in one line."""
    method = METHODS[name]

    [plain] = objects(printed(capsys, name, "--format", "json"))

    fields = plain.pop("fields")
    assert plain == {
        "method": name,
        "summary": method.summary,
        "path": method.path,
        "batch_path": method.batch.path if method.batch else None,
        "order_key": method.order_key,
        "time": method.time,
        "once": method.once,
    }
    assert {field for field, each in fields.items() if each["required"]} == method.required
    assert list(fields) == list(method.fields)
    for field, each in method.fields.items():
        assert {key: fields[field][key] for key in ("type", "rule", "source")} == {
            "type": each.type,
            "rule": each.rule,
            "source": each.source,
        }
        assert list(fields[field].get("fields", {})) == list(each.fields)


def test_the_list_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it tells the vendor."""
    lines = printed(capsys).splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [[name, each.summary] for name, each in METHODS.items()]

    found = objects(printed(capsys, "--format", "json"))
    assert found == [{"method": name, "summary": each.summary} for name, each in METHODS.items()]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("voyado.crat", "did you mean voyado.cart?"),
        ("retail_rocket.categoryView", "did you mean retail_rocket.category_view?"),
        ("zzz", "`clickstream explain` lists them"),
        ("", "`clickstream explain` lists them"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_method_that_is_none(capsys: pytest.CaptureFixture[str], name: str, hint: str, form: str) -> None:
    """With the one that was probably meant."""
    assert main(["explain", name, "--format", form]) == 2

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"clickstream: there is no method {name}; {hint}\n")
