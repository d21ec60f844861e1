"""The rail: rules and work of recording, clearing, paying, booking and proving trade invoices.

Imports no web framework; `gateway` holds the doors.
"""
