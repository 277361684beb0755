"""Says in words what YAML could not read, and where it was an expression without quotes, how to write it."""

import re
from collections.abc import Iterator

import yaml

from processor.errors import Fault
from processor.settings.yaml import compose, is_unfinished

KEY = r"^(?P<start>\s*(?:- +)*(?:[^\s'\"{\[#][^:]*:[ ]+)?)"
FLOW_PAIR = re.compile(r"^(\s*[^\s:]+:\s+)(.+?)(\s*)$")

WORDS = (
    ("mapping values are not allowed here", "a value without quotes may not have `: ` in it"),
    ("sequence entries are not allowed here", "a list begins on the line below its key"),
    ("expected <block end>, but found '<block mapping start>'", "its indentation is that of no key above"),
    ("expected <block end>", "something follows where the value or the block has ended"),
    ("expected a comment or a line break", "`|` and `>` begin a text of several lines, below"),
    ("but found another document", "`---` begins a second document"),
    ("found unexpected end of stream", "a quote is never closed"),
    ("could not find expected ':'", "this line has no `key: value`"),
    ("expected ',' or ", "within {} and [] a comma parts the values, and a bracket wants quotes"),
    ("expected alphabetic or numeric", "without quotes, a value cannot begin with `*` or `&`"),
    ("found character '\\t'", "a tab stands where a value or the indentation begins"),
    ("found character", "without quotes, a value cannot begin with this sign"),
)
"""PyYAML's words, by how they begin, and ours."""

ADVICE = (
    ("U+", "remove it, or write it as an escape within double quotes"),
    ("a tab", "indent with spaces, not with tabs"),
    ("undefined alias", "define it above with `&name`, or use quotes where it is no alias"),
    ("its indentation", "begin the line where the other keys of its group begin"),
    ("no `key: value`", "a colon and a blank follow the key"),
    ("second document", "remove the line `---`; for several files use --config more than once"),
)
"""What to do where no quotes would help, by a part of our words."""


def explain(error: yaml.YAMLError, text: str, file: str) -> Fault:
    """Turn PyYAML's error into a fault with the file, the line, and what to write instead.

    Args:
        error: what `compose` raised for `text`.
        text: the whole file.
        file: its name as the user gave it.
    """
    lines = _suspects(error, text)
    message = f"YAML cannot read this: {_problem(error)}"
    for line in lines:
        if (repaired := _repaired(text, line)) is not None:
            return Fault((), message, f"use quotes: {repaired}", file=file, line=line + 1)
    return Fault((), message, _advice(message), file=file, line=lines[-1] + 1)


def _problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character U+{int(error.character):04X} is not allowed"
    problem = str(getattr(error, "problem", None) or error)
    return next((words for start, words in WORDS if problem.startswith(start)), problem)


def _advice(message: str) -> str:
    usual = "look for a missing quote, a bracket left open, or a wrong indentation"
    return next((advice for part, advice in ADVICE if part in message), usual)


def _suspects(error: yaml.YAMLError, text: str) -> list[int]:
    """List the 0-based lines to look at: where YAML gave up, then where what it was reading began."""
    if isinstance(error, yaml.reader.ReaderError):
        return [text.count("\n", 0, error.position)]
    marks = [getattr(error, "problem_mark", None)]
    # A block begins far above its error; a quote or bracket that is left open is the error itself.
    context = str(getattr(error, "context", ""))
    if any(word in context for word in ("flow", "quoted", "simple key")):
        marks.append(getattr(error, "context_mark", None))
    return [mark.line for mark in marks if mark] or [0]


def _repaired(text: str, line: int) -> str | None:
    """Find the quotes that let YAML read on beyond this line; None where no quotes would."""
    lines = text.split("\n")
    if line >= len(lines):  # YAML counts more characters as ends of lines, such as a next-line character
        return None
    if lines[line].startswith("---") or "undefined alias" in str(_error(text)):
        return None
    for candidate in _candidates(lines[line].rstrip("\r")):
        error = _error("\n".join([*lines[:line], candidate, *lines[line + 1 :]]))
        if error is None or min(_suspects(error, text)) > line:
            return candidate.strip()
    return None


def _error(text: str) -> yaml.YAMLError | None:
    try:
        compose(text)
    except yaml.YAMLError as error:
        return error
    return None


def _candidates(line: str) -> Iterator[str]:
    """Quote the line: a constant text, the variables in brackets, the values in `{}`, or the whole value."""
    yield re.sub(r": +const: +(.+)$", lambda found: f": {{const: {quoted(found[1])}}}", line)
    yield re.sub(r"""(?<=[\s\[,])\$\{[^}]*\}(?=\s*[,\]}])""", r'"\g<0>"', line)
    yield from _quoted_pairs(line)
    match = re.match(KEY + r"(?P<value>.*)$", line)
    if match and (value := match["value"]) and not is_unfinished(value) and not value.startswith("- "):
        yield match["start"] + quoted(value)


def _quoted_pairs(line: str) -> Iterator[str]:
    """Quote the values of `{a: b[0], c: d}`, also where the braces open or close on another line."""
    match = re.match(r"^(?P<open>[^{}\[\]'\"]*\{|\s*)(?P<inner>.*?)(?P<close>\}?,?)$", line)
    if not match or is_unfinished(match["inner"]):
        return
    pairs = [FLOW_PAIR.match(part) for part in _split(match["inner"])]
    if all(pairs):
        inner = ",".join(pair[1] + _quoted_if_special(pair[2]) + pair[3] for pair in pairs if pair)
        yield match["open"] + inner + match["close"]


def _quoted_if_special(value: str) -> str:
    return quoted(value) if re.search(r"[\[\]{}`!,#'\"&*?|>%@]", value) else value


def _split(text: str) -> list[str]:
    """Split at the commas that are in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        depth += 0 if quote else (char in "([{") - (char in ")]}")
        if char == "," and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def quoted(text: str) -> str:
    """Put YAML quotes around a text, single ones where that needs no escapes."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"
