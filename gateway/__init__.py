"""The doors of the rail: HTTP, console, worker and command line. Decides nothing about money."""
