"""The chain: what it must offer (`port`), a real node (`evm`), one in memory, anvil, and deployment."""
