"""Whether a large file obeys its schema, judged in a process of its own.

`python -m settlement.documents.iso20022.reading_schema FILE` prints the first fault's words, or
nothing. Judging costs as much as reading: on two cores they take the time of one.
"""

from __future__ import annotations

import sys

from lxml import etree

from settlement.documents.iso20022.reading_source import elements, message_of, schema_of


def main(path: str) -> None:
    """Judge a file and print its first fault."""
    with open(path, "rb") as file:
        message = message_of(file)
        schema = schema_of(message)
        try:
            for element in elements(file, message, ("Ntry",), schema):
                element.clear()
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
        except etree.XMLSyntaxError as error:
            print(error.msg or "it does not obey its schema")


if __name__ == "__main__":
    main(sys.argv[1])
