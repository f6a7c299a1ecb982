"""Sound as samples: the telephone's mu-law, WAV files, and what makes recordings sound alike."""
