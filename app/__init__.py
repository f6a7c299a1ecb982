"""Zeroten asks the 0-10 question after a contact-centre call or chat."""
