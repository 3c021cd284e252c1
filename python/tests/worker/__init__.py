"""A worker: claims, runs, settles, rests, ends."""
