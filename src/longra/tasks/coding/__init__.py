"""The task *code*: from an instruction, from the code before a place, or from the code around it."""
