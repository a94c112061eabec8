"""The book as one file to take with you: `make pdf` and `make epub`.

Both are made of the pages in `_build/html`, as `make book` left them, so that they say what the
website says; what only a website can do is left out.
"""
