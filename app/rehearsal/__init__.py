"""A carrier and customers of our own, so that a survey can be played without anyone being called."""
