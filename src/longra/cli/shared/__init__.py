"""What verbs share: options in groups, reading and saving, what goes to a terminal."""
