"""Trade documents: what arrives as UBL, CII, a Factur-X PDF or JSON, read into one record.

Knows no database and no state: it says what a document holds, or every rule that it breaks.
"""
