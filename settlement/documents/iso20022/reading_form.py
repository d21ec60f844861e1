"""Whether a large file is well-formed XML without a DOCTYPE, judged in a process of its own.

`python -m settlement.documents.iso20022.reading_form FILE` prints the first fault's words, or
nothing. It only judges; who is told of a fault reads the file again for its place.
"""

from __future__ import annotations

import sys
from typing import NoReturn
from xml.parsers import expat


class _DoctypeError(Exception):
    """The file declares a document type."""


def fault_of(path: str) -> str:
    """Return what is wrong with a file's form, or nothing."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    with open(path, "rb") as file:
        try:
            parser.ParseFile(file)
        except _DoctypeError:
            return "a document type declaration"
        except (expat.ExpatError, ValueError) as error:
            # ValueError: an encoding that expat does not know.
            return str(error) or type(error).__name__
    return ""


def _refuse(*_definition: object) -> NoReturn:
    raise _DoctypeError


if __name__ == "__main__":
    print(fault_of(sys.argv[1]), end="")
