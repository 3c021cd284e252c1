"""Symphony together with the libraries and frameworks that people have."""
