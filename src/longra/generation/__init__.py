"""A generation: its texts as they are written, the stream that its reader holds, and its result."""
