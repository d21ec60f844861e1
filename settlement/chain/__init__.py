"""The chain: what it must offer (`port`), a node (`evm`), one in memory, anvil, and deployment."""
