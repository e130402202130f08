"""Judging by people: a page that shows outputs without their makers, votes that are kept, and what they say."""
