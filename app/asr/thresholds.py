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

# Aligning a form costs 20 ms. A form is never likelier than its first token, and one pass finds those of all forms:
# what has less than this share of the likeliest one's is not aligned. On 102 recordings of two speakers nothing is
# heard differently by it, in a third (French) or a fifth (English) of the time.
WHISPER_FIRST_TOKEN = 0.001

# Whisper makes up words where there are none: for 45 of 132 stretches of silence, hiss and coughs in four languages,
# some of them one phrase over and over at 93 %. All 45 are beyond one of these; of 124 stretches of sentences of two
# speakers, none is (0.56, -0.59 and 2.17 at most). The second is a mean of logarithms, the third how far the text can
# be compressed.
WHISPER_SILENCE = 0.6
WHISPER_LEAST_LIKELY = -1.2
WHISPER_REPETITION = 2.4

# A comment heard with less is recognised once more from its recording. A choice, not a measurement.
DOUBTFUL_COMMENT = 0.6

# How long a pause ends a score, or a yes or no, that is a whole answer by then. Of 658 recordings of two speakers,
# numbers and sentences of up to 3 s said without hesitating, none is quiet inside for longer than 0.14 s, as the
# detector of voices has it, which stays on for up to 0.1 s after a voice; `make bench-speech` counts again. Who
# hesitates is quiet for longer, so only what needs no more words is ended so.
WHOLE_ANSWER_SECONDS = 0.2
