import pytest

from processor.errors import ClickstreamError, ConfigError, FatalError, Fault, Level

FULL = Fault(("routes", "views", "to", 0), "unknown method", "did you mean view?", Level.WARNING, "a.yaml", 7)
BARE = Fault(("kafka",), "is missing")


def test_a_fault_says_where_and_what_to_do() -> None:
    """File, line and path come first, the fix on a line of its own."""
    assert str(FULL) == "WARNING a.yaml:7 routes.views.to.0   unknown method\n      fix: did you mean view?"


def test_a_fault_of_no_file() -> None:
    """What no file set has neither file nor line, and no empty fix."""
    assert str(BARE) == "ERROR kafka   is missing"


def test_a_fault_for_scripts() -> None:
    """All parts of a finding, by the names of the contract."""
    assert FULL.as_json() == {
        "level": "warning",
        "file": "a.yaml",
        "line": 7,
        "path": "routes.views.to.0",
        "message": "unknown method",
        "fix": "did you mean view?",
    }


def test_a_config_error_tells_all_faults() -> None:
    """All faults at once, one after the other."""
    error = ConfigError([BARE, FULL])

    assert error.faults == (BARE, FULL)
    assert str(error) == f"{BARE}\n{FULL}"


@pytest.mark.parametrize("error", [ConfigError([BARE]), FatalError("the port is taken")])
def test_what_is_raised_on_purpose_has_one_root(error: Exception) -> None:
    """The command line catches one class, and nothing that is a mistake of ours."""
    assert isinstance(error, ClickstreamError)
