"""Sending: lanes, nonces, attempts, fees. Each step is one database transaction or network call."""
