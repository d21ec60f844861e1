"""Settlements: from instruct to final. Each step takes a session and a batch, and never commits."""
