"""Scripts to start, and to copy from."""
