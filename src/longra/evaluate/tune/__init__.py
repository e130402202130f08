"""Tries sets of generation parameters on one prompt, and measures what each writes."""
