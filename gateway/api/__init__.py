"""The API under /v1, by noun: each module lists its operations, and what each shows and does."""
