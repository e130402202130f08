"""Pages that show what was measured: one HTML file each, with nothing to fetch."""
