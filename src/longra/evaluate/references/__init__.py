"""How well a text agrees with references: BLEU, chrF, ROUGE."""
