"""Who may be paid, how much, by which rules: packs as data, lists from files, stored decisions."""
