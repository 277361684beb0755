from pathlib import Path

from tests.settings.example import FILE, load_text


def test_a_file_is_looked_up_beside_the_one_that_names_it(tmp_path: Path) -> None:
    """Rows are given as they are written, and files by their resolved path."""
    loaded = load_text(tmp_path, FILE + "tables: {a: {SE: sv-SE, 5: 010}, b: {file: b.csv}, c: {file: /c.csv}}\n")
    assert loaded.faults == ()
    assert loaded.tables == {"a": {"SE": "sv-SE", "5": "010"}, "b": tmp_path / "b.csv", "c": Path("/c.csv")}


def test_wrong_tables(tmp_path: Path) -> None:
    """Each fault has its key, and the table's name is known all the same."""
    loaded = load_text(tmp_path, FILE + "tables: {a: {b: [c], d: , e: f}, g: h, i: {file: }, j-k: {}, l: {file: ''}}\n")
    assert [(fault.where, fault.message) for fault in loaded.faults] == [
        ("tables.a.b", "must be one text"),
        ("tables.a.d", "has no value"),
        ("tables.g", "`h` is not a table"),
        ("tables.i.file", "has no value"),
        ("tables.j-k", "`j-k` is not a name"),
        ("tables.l.file", "`` must not be empty"),
    ]
    assert all(fault.fix for fault in loaded.faults)
    assert loaded.tables == {"a": {}, "g": {}, "i": {}, "j-k": {}, "l": {}}


def test_no_table_at_all(tmp_path: Path) -> None:
    """`tables` is a mapping."""
    loaded = load_text(tmp_path, FILE + "tables: [a]\n")
    assert [fault.where for fault in loaded.faults] == ["tables"]
    assert loaded.tables == {}
