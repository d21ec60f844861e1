"""The console: pages for people who sign in. Every page works without a script.

pages      what is shown; pages.py reads, acts.py changes, routes.py puts both together
templates/ the pages' text, escaped by itself
static/    one style sheet, and what the API's documentation needs
"""
