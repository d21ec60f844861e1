"""Write every demo document from its spec, and the index that the demo reads."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.demo.authoring.rendering import json_of, totals, xml_of
from gateway.demo.authoring.specs import SPECS
from gateway.demo.facturx_pdf import facturx_pdf

FOLDER = Path(__file__).resolve().parents[1] / "documents"


def main() -> None:
    """Write the documents and `index.json` beside them."""
    specs = {spec.name: spec for spec in SPECS}
    index = []
    for spec in SPECS:
        content = json_of(spec, specs) if spec.kind == "json" else xml_of(spec, specs)
        suffix = "json" if spec.kind == "json" else "xml"
        if spec.kind == "facturx":
            # The XML lies beside the PDF: a varied document is printed from it anew.
            (FOLDER / f"{spec.name}.pdf").write_bytes(facturx_pdf(content))
        (FOLDER / f"{spec.name}.{suffix}").write_bytes(content)
        index.append(
            {
                "name": spec.name,
                "kind": spec.kind,
                "seller": spec.seller,
                "buyer": spec.buyer,
                "currency": spec.currency,
                "number": spec.number,
                "payable": str(totals(spec)["payable"]),
                "credits": spec.credits,
            }
        )
    text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / "index.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
