"""Programs of other people that look at our files: from the development environment, else from the path."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def find_tool(name: str, package: str) -> str:
    """Find a program.

    Args:
        name: as one would call it.
        package: brings it into the development environment.

    Raises:
        FileNotFoundError: it is nowhere.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"no {name}: install the development dependencies again, which have {package}")
    return found
