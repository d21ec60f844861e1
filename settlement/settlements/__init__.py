"""Settlements: from instruct to final. Each step takes a session, works on batches, never commits."""
