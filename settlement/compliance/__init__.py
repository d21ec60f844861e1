"""Who may be paid, how much, under which rules: packs as data, lists from files, stored decisions."""
