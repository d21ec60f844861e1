"""Files of listed parties, as their publishers give them, read whole or not at all."""
