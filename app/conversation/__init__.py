"""One turn, one transaction: the only caller of the dialogue."""
