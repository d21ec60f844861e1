"""`settle restore`: see `backup`, whose counterpart it is."""

from gateway.cli.backup import restore_app as app

__all__ = ["app"]
