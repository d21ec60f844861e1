"""The demo: its companies, its documents, and the trading day that uses them."""
