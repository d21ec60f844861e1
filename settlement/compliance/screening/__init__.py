"""Comparing those who take part with lists: names, owners, wallets; hits that a person decides."""
