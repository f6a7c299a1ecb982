"""When a recogniser is believed: every threshold of hearing, with where it comes from.

What follows from a low confidence is the survey's own matter: below `app.survey.hear.SURE_CONFIDENCE` a score is read
back, below ``LEAST_CONFIDENCE`` it is asked for again.
"""

# Vosk's grammar is closed. Where the model has no word for "something else", any sound becomes one of the words, and
# only the confidence tells; below this it is reported as a guess. A choice, not a measurement.
FORCED_LEAST = 0.7
GUESS = 0.2
# Words of the grammar among others that are not in it might be denied by those; read back, like any other doubt.
PARTLY_UNKNOWN = 0.45

# Whisper, multilingual base, int8, on 120 English digits and 38 other words of real speakers over a telephone line:
# this share of the candidates' probability accepted 104 digits, all of them right, ...
WHISPER_POSTERIOR = 0.8
# ... and with this much of all probability on the candidates, 1 of the 38 other words passed for a digit.
WHISPER_MASS = 0.03

# A comment heard with less is recognised once more from its recording. A choice, not a measurement.
DOUBTFUL_COMMENT = 0.6
