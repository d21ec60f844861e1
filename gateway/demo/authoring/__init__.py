"""How the shipped demo documents were made: `python -m gateway.demo.authoring` writes them anew.

Not used when the demo runs: that reads the files.
"""
