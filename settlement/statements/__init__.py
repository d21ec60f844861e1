"""Statements of accounts and advice of payments, for people and machines outside.

Gathers facts from ledger, settlements and chain; decides nothing and changes nothing. What is heavy
(message classes, spreadsheets, PDF) is imported only when one is made.
"""
